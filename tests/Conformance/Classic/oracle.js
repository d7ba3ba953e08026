// Answers each JSON text with what JavaScript makes of it: its compact and its indented form, or a refusal.
// A frame is a length (4 bytes, big-endian) and that many bytes; the length 0xffffffff alone says refused.
'use strict'

const REFUSED = Buffer.from([0xff, 0xff, 0xff, 0xff])

function frame (text) {
  const bytes = Buffer.from(text)
  const length = Buffer.alloc(4)
  length.writeUInt32BE(bytes.length)
  return Buffer.concat([length, bytes])
}

function answer (bytes) {
  let value
  try {
    value = JSON.parse(bytes.toString('utf8'))
  } catch (_) {
    return REFUSED
  }
  return Buffer.concat([frame(JSON.stringify(value)), frame(JSON.stringify(value, null, 2))])
}

let rest = Buffer.alloc(0)
process.stdin.on('data', data => {
  rest = rest.length ? Buffer.concat([rest, data]) : data
  const answers = []
  while (rest.length >= 4 && rest.length - 4 >= rest.readUInt32BE(0)) {
    const end = 4 + rest.readUInt32BE(0)
    answers.push(answer(rest.subarray(4, end)))
    rest = rest.subarray(end)
  }
  if (answers.length) process.stdout.write(Buffer.concat(answers))
})
