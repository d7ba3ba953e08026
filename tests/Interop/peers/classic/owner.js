// A box's owner at the keyboard: ssb-client with the box's own key, without a manifest of its own, over loopback.
const path = require('path')
const pull = require('pull-stream')
const ssbKeys = require('ssb-keys')
const converse = require('../driver/conversation')
const { ask } = converse

/** argv: {"directory","networkKey","remote"} */
const given = JSON.parse(process.argv[2])
const keys = ssbKeys.loadOrCreateSync(path.join(given.directory, 'secret'))

require('ssb-client')(keys, { remote: given.remote, caps: { shs: given.networkKey } }, (error, ssb) => {
  if (error) {
    console.error(error)
    process.exit(1)
  }
  const find = (method) => method.split('.').reduce((at, name) => at && at[name], ssb)
  const live = {}
  converse({ id: keys.id, address: given.remote }, {
    /** Every name the server's manifest gave. */
    manifest: () => Object.keys(ssb),
    call: (method, args) => ask((cb) => find(method)(...args, cb)),
    collect: (method, args) => ask((cb) => pull(find(method)(...args), pull.collect(cb))),
    /** Reads `count` items of a source that may never end. */
    take: (method, args, count) => ask((cb) => pull(find(method)(...args), pull.take(count), pull.collect(cb))),
    /** Begins to read a source; `taken` answers when so many items have come. */
    begin: (name, method, args, count) => { live[name] = ask((cb) => pull(find(method)(...args), pull.take(count), pull.collect(cb))) },
    taken: (name) => live[name],
    addBlob: (text) => ask((cb) => pull(pull.once(Buffer.from(text)), ssb.blobs.add(cb))),
    readBlob: async (id) => Buffer.concat(await ask((cb) => pull(ssb.blobs.get(id), pull.collect(cb)))).toString()
  })
})
