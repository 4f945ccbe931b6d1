// What npm's smpp reads of PDUs. Run: node node_smpp.js; hex lines in, JSON lines out.
'use strict';
const readline = require('readline');
const smpp = require('smpp');

smpp.filters.time.decode = (value) => value; // times as they stand in the PDU

function plain(value) {
  return Buffer.isBuffer(value) ? {hex: value.toString('hex')} : value;
}

readline.createInterface({input: process.stdin}).on('line', (line) => {
  const pdu = new smpp.PDU(Buffer.from(line, 'hex'));
  const told = {};
  for (const name of Object.keys(pdu)) told[name] = plain(pdu[name]);
  for (const name of ['short_message', 'message_payload']) {
    if (!pdu[name]) continue;
    const {udh, message} = pdu[name];
    told[name] = {udh: (udh || []).map((one) => one.toString('hex')), message: plain(message)};
  }
  process.stdout.write(JSON.stringify(told) + '\n');
});
