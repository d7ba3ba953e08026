// A peer's side of its conversation with the tests: one JSON object a line.
//   stdin   {"id":7,"call":"publish","args":[{"type":"post","text":"hello"}]}
//   stdout  {"id":7,"result":...} or {"id":7,"error":"what went wrong"}; before anything else {"event":"ready",...}
// Whatever the libraries print goes to stderr. When stdin ends, the peer ends.
const readline = require('readline')

console.log = console.info = console.warn = console.error

function say(message) {
  process.stdout.write(JSON.stringify(message) + '\n')
}

function describe(error) {
  const parts = []
  for (let e = error; e; e = e.cause) parts.push(e.message || String(e))
  return parts.join(': ') || 'failed without saying why'
}

/** Answers calls with the functions of `operations`, each of which may return a promise. */
module.exports = function converse(ready, operations) {
  readline.createInterface({ input: process.stdin }).on('line', async (line) => {
    const { id, call, args } = JSON.parse(line)
    try {
      if (!Object.hasOwn(operations, call)) throw new Error('the driver has no operation ' + call)
      const result = await operations[call](...args)
      say({ id, result: result === undefined ? null : result })
    } catch (error) {
      say({ id, error: describe(error) })
    }
  }).on('close', () => process.exit(0))
  say({ event: 'ready', ...ready })
}

/** A function that ends in a callback, as a promise. */
module.exports.ask = (fn, ...args) => new Promise((resolve, reject) => {
  fn(...args, (error, value) => error ? reject(error) : resolve(value))
})
