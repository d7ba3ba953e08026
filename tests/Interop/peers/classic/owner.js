// A box's owner at the keyboard: ssb-client with the box's own key, without a manifest of its own, over loopback.
const path = require('path')
const pull = require('pull-stream')
const ssbKeys = require('ssb-keys')
const converse = require('../driver/conversation')
const { ask } = converse

/** argv: {"directory","networkKey","remote"} */
const given = JSON.parse(process.argv[2])
const keys = ssbKeys.loadOrCreateSync(path.join(given.directory, 'secret'))

let ssb
let answered = 0
const live = {}
const find = (method) => method.split('.').reduce((at, name) => at && at[name], ssb)

async function connect() {
  ssb = await ask(require('ssb-client'), keys, { remote: given.remote, caps: { shs: given.networkKey } })
}

connect().then(() => converse({ id: keys.id, address: given.remote }, {
  /** Connects anew, after the server was away. */
  connect,
  call: (method, args) => ask((cb) => find(method)(...args, cb)),
  collect: (method, args) => ask((cb) => pull(find(method)(...args), pull.collect(cb))),
  /** Begins to read `count` items of a source that may never end; `taken` answers when they have come. */
  begin: (name, method, args, count) => { live[name] = ask((cb) => pull(find(method)(...args), pull.take(count), pull.collect(cb))) },
  taken: (name) => live[name],
  addBlob: (text) => ask((cb) => pull(pull.once(Buffer.from(text)), ssb.blobs.add(cb))),
  readBlob: async (id) => Buffer.concat(await ask((cb) => pull(ssb.blobs.get(id), pull.collect(cb)))).toString(),
  /** Publishes one message after the other until the server is gone; `answered` tells the last sequence it confirmed. */
  publishOn: () => {
    const here = ssb
    const next = () => here.publish({ type: 'post', text: 'after ' + answered }, (error, message) => {
      if (error || !message) return
      answered = message.value.sequence
      next()
    })
    next()
  },
  answered: () => answered
}), (error) => {
  console.error(error)
  process.exit(1)
})
