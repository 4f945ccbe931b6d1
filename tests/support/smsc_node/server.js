// The SMSC of tests/support/smsc.py with npm's smpp. Run: node server.js PORT DELAY_MS
'use strict';
const smpp = require('smpp');

const [port, delay] = process.argv.slice(2).map(Number);
const FIELDS = ['service_type', 'source_addr', 'source_addr_ton', 'source_addr_npi', 'destination_addr',
  'dest_addr_ton', 'dest_addr_npi', 'esm_class', 'protocol_id', 'priority_flag', 'data_coding', 'registered_delivery',
  'replace_if_present_flag', 'sm_default_msg_id'];
// The library reads these as Date objects; the tests want to see what stood on the wire.
const TIMES = ['schedule_delivery_time', 'validity_period'];
let lastId = 0;

process.stdin.on('end', () => process.exit()).resume(); // the test is gone

// Octets are left alone: no text decoding, and times as they stand in the PDU.
smpp.filters.message.decode = (value) => value;
smpp.filters.time.decode = (value) => value.toString();

function tell(event, facts) {
  process.stdout.write(JSON.stringify({event, ...facts}) + '\n');
}

function octets(value) {
  return Buffer.isBuffer(value) ? value : Buffer.from((value && value.message) || value || '');
}

function fieldsOf(pdu) {
  const facts = {short_message: octets(pdu.short_message).toString('hex'), tlvs: {}};
  for (const name of FIELDS) facts[name] = pdu[name];
  for (const name of TIMES) facts[name] = pdu[name] || '';
  for (const [name, tlv] of Object.entries(smpp.tlvs)) {
    if (typeof pdu[name] === 'undefined' || FIELDS.includes(name)) continue;
    const value = pdu[name];
    const digits = tlv.type === smpp.types.int8 ? 2 : 4;
    const number = () => Buffer.from(value.toString(16).padStart(digits, '0'), 'hex');
    facts.tlvs[tlv.id.toString(16).padStart(4, '0')] =
      (typeof value === 'number' ? number() : octets(value)).toString('hex');
  }
  return facts;
}

function receipt(session, pdu, id) {
  const stat = pdu.destination_addr.endsWith('03') ? 'EXPIRED' : 'DELIVRD';
  const now = new Date().toISOString().replace(/[-T:]/g, '').slice(2, 12);
  session.deliver_sm({
    source_addr: pdu.destination_addr, source_addr_ton: 1, source_addr_npi: 1, destination_addr: pdu.source_addr,
    esm_class: 4,
    short_message: Buffer.from(
      `id:${id} sub:001 dlvrd:001 submit date:${now} done date:${now} stat:${stat} err:000 text:`),
  });
}

function reply(session, pdu) {
  session.deliver_sm({
    source_addr: pdu.destination_addr, source_addr_ton: 1, source_addr_npi: 1, destination_addr: pdu.source_addr,
    short_message: Buffer.from('Yes, I do!'),
  });
}

function answer(session, pdu) {
  const refused = pdu.destination_addr.endsWith('11');
  const id = refused ? '' : (++lastId).toString(16).toUpperCase().padStart(8, '0');
  tell('submit', {message_id: id, ...fieldsOf(pdu)});
  session.send(pdu.response(refused ? {command_status: smpp.ESME_RINVDSTADR} : {message_id: id}));
  if (!refused && pdu.registered_delivery & 1) receipt(session, pdu, id);
  if (pdu.destination_addr.endsWith('0070707')) reply(session, pdu);
}

smpp.createServer((session) => {
  let bound = false;
  for (const bind of ['bind_transceiver', 'bind_transmitter', 'bind_receiver']) {
    session.on(bind, (pdu) => {
      bound = true;
      session.send(pdu.response({system_id: 'npm-smpp'}));
      tell('bound', {});
    });
  }
  session.on('submit_sm', (pdu) => (delay ? setTimeout(answer, delay, session, pdu) : answer(session, pdu)));
  session.on('enquire_link', (pdu) => session.send(pdu.response()));
  session.on('unbind', (pdu) => {
    session.send(pdu.response());
    session.close();
  });
  session.on('close', () => bound && tell('unbound', {}));
  session.on('error', () => {});
}).listen(port, '127.0.0.1', () => tell('listening', {}));
