// What the tests ask of a peer, the same words on both stacks. `stack` holds what differs between them.
const crypto = require('crypto')
const { ask } = require('./conversation')

/** Bytes that look random and are the same for the same name. */
function madeUpBytes(name, size) {
  const key = crypto.createHash('sha256').update(name).digest()
  return crypto.createCipheriv('aes-256-ctr', key, Buffer.alloc(16)).update(Buffer.alloc(size))
}

/** Text as long as people write it: 40 to 460 characters, so that a message is about 595 bytes on average. */
function madeUpText(name, number) {
  const bytes = madeUpBytes(name + number, 348)
  return bytes.subarray(0, 30 + bytes.readUInt16LE() % 316).toString('base64')
}

module.exports = function operations(ssb, pull, stack) {
  const clock = {}
  const arrivals = {}
  const waiting = new Set()
  function arrived(value) {
    if (value.sequence <= (clock[value.author] || 0)) return
    clock[value.author] = value.sequence
    arrivals[value.author] = Date.now()
    for (const check of waiting) check()
  }
  stack.onMessage(arrived)
  const loaded = ask(ssb.getVectorClock).then((stored) => {
    for (const feed in stored) clock[feed] = Math.max(stored[feed], clock[feed] || 0)
  })

  async function publish(content) {
    const message = await ask(stack.publish, content)
    return { key: message.key, sequence: message.value.sequence, at: Date.now() }
  }

  return {
    /** Dials a multiserver address; answers with the id of the peer there. */
    async connect(address) {
      const rpc = await ask(stack.connect, address)
      return rpc.id
    },
    /** Closes every connection to a peer. */
    async disconnect(id) {
      for (const rpc of ssb.peers[id] || []) await ask(rpc.close, true).catch(() => {})
    },
    peers: () => Object.keys(ssb.peers).filter((id) => id !== ssb.id && ssb.peers[id].length > 0),

    publish,
    /** A run of posts. */
    async publishMany(count, name) {
      let last
      for (let i = 0; i < count; i++) last = await publish({ type: 'post', text: madeUpText(name, i) })
      return last
    },
    /** Fills the log with the posts from number `from` up to number `to` by `feeds` made-up authors in turn (modern stack only); answers with their ids. */
    async publishAs(feeds, from, to, name) {
      const authors = Array.from({ length: feeds }, (_, i) => stack.makeKeys(madeUpBytes(name + i, 32)))
      for (let i = from; i < to; i++) {
        await ask(stack.publishWith, authors[i % feeds], { type: 'post', text: madeUpText(name, i) })
      }
      return authors.map((keys) => keys.id)
    },
    publishPrivate: async (content, recipients, format) => {
      const message = await ask(stack.publishPrivate, content, recipients, format)
      return { key: message.key, sequence: message.value.sequence, at: Date.now() }
    },
    follow: (id) => publish({ type: 'contact', contact: id, following: true }),
    unfollow: (id) => publish({ type: 'contact', contact: id, following: false }),
    block: (id) => publish({ type: 'contact', contact: id, following: false, blocking: true }),
    unblock: (id) => publish({ type: 'contact', contact: id, blocking: false }),

    /**
     * Takes an invite the way the stack's own invite plugin does. ssb-invite-client leaves the connection open that it
     * made with the invite's key; it is closed here, as a peer has one connection to another.
     */
    async redeem(code) {
      const before = new Set(Object.values(ssb.peers).flat())
      await ask(ssb.invite.accept, code)
      for (const id in ssb.peers) {
        for (const rpc of ssb.peers[id].filter((one) => id !== ssb.id && !before.has(one))) {
          rpc.close(true, () => {})
          while (!rpc.closed) await new Promise((resolve) => setTimeout(resolve, 10))
        }
      }
    },
    /** Makes an invite, where the peer is a pub itself. */
    createInvite: (uses) => ask(ssb.invite.create, { uses, external: 'localhost' }),

    /** The latest sequence of every feed that is held. */
    clock: async () => { await loaded; return clock },
    /** Waits until a feed is held up to a sequence; answers when it arrived. */
    async waitFor(feed, sequence, milliseconds) {
      await loaded
      await new Promise((resolve, reject) => {
        const timer = setTimeout(() => {
          waiting.delete(check)
          reject(new Error(`waited ${milliseconds} ms for ${feed} ${sequence}, have ${clock[feed] || 0}`))
        }, milliseconds)
        function check() {
          if ((clock[feed] || 0) < sequence) return
          waiting.delete(check)
          clearTimeout(timer)
          resolve()
        }
        waiting.add(check)
        check()
      })
      return { sequence: clock[feed], at: arrivals[feed] || 0 }
    },
    /** Waits until so many messages are held in all; answers when the last of them arrived. */
    async waitForTotal(count, milliseconds) {
      const deadline = Date.now() + milliseconds
      await loaded
      while (Object.values(clock).reduce((sum, sequence) => sum + sequence, 0) < count) {
        if (Date.now() > deadline) throw new Error('gave up waiting for ' + count + ' messages')
        await new Promise((resolve) => setTimeout(resolve, 25))
      }
      return Math.max(...Object.values(arrivals))
    },
    /** Up to where a connected peer says it holds this peer's own feed (its EBT note), 0 when it has not said. */
    acknowledged: (peer) => ssb.ebt.peerStatus(ssb.id).peers[peer]?.seq || 0,
    /** A message by its place in its feed, its content decrypted where this peer can. */
    async read(feed, sequence) {
      const stored = await ask(ssb.getAtSequence, [feed, sequence])
      return { key: stored.key, value: await ask(stack.getDecrypted, stored.key), signed: stored.value }
    },

    /** Every message that is held: key, author and sequence. */
    held: async () => (await ask((cb) => pull(ssb.createLogStream({ keys: true, values: true }), pull.collect(cb))))
      .map(({ key, value }) => ({ key, author: value.author, sequence: value.sequence })),
    /** Deletes a message from the log. */
    erase: (key) => ask(stack.erase, key),
    /** Waits until everything is in the files. */
    settle: () => ask(stack.settle),

    /** Adds a blob of made-up bytes; answers with its id. */
    addBlob: (name, size) => ask((cb) => pull(pull.once(madeUpBytes(name, size)), ssb.blobs.add(cb)))
      .then((id) => id.startsWith('&') ? id : '&' + id),
    hasBlob: (id) => ask(ssb.blobs.has, id),
    /** Waits until a blob has come. */
    wantBlob: (id) => ask(ssb.blobs.want, id),
    pushBlob: (id) => ask(ssb.blobs.push, id),
    /** Reads a blob back: its size and what its bytes hash to. */
    async readBlob(id) {
      const parts = await ask((cb) => pull(ssb.blobs.get(id), pull.collect(cb)))
      const bytes = Buffer.concat(parts)
      return { size: bytes.length, id: '&' + crypto.createHash('sha256').update(bytes).digest('base64') + '.sha256' }
    },

    /** The web address with which a browser is signed in to a connected server (modern stack only). */
    signInUrl: (server) => ask(ssb.httpAuthClient.produceSignInWebUrl, server),
    /** Signs in the browser whose page shows this SSB URI (modern stack only). */
    signInBrowser: (uri) => ask(ssb.httpAuthClient.consumeSignInSsbUri, uri),
    /** Ends all that was signed in to a connected server (modern stack only). */
    signOutBrowsers: (server) => ask(ssb.httpAuthClient.invalidateAllSessions, server),

    /** Calls an async method of a connected peer. */
    call: (peer, method, args) => ask((cb) => remote(peer, method)(...args, cb)),
    /** Reads a source of a connected peer to its end. */
    collect: (peer, method, args) => ask((cb) => pull(remote(peer, method)(...args), pull.collect(cb))),
    close: () => ask(ssb.close, true)
  }

  function remote(peer, method) {
    const rpc = (ssb.peers[peer] || [])[0]
    if (!rpc) throw new Error('not connected to ' + peer)
    return method.split('.').reduce((at, name) => at[name], rpc)
  }
}
