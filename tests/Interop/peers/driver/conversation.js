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
  // Libraries hang the first error behind a new one as its cause, as its prototype (explain-error), or as an indented
  // line of its stack (clarify-error).
  const parts = []
  for (let e = error; e && e !== Error.prototype && e !== Object.prototype; e = e.cause || Object.getPrototypeOf(e)) {
    if (Object.hasOwn(e, 'message')) parts.push(e.message)
    for (const [, inner] of String(e.stack).matchAll(/^ {2}\w*Error: (.*)$/gm)) parts.push(inner)
  }
  return parts.join(': ') || String(error)
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
