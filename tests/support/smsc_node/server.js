// The SMSC of tests/support/smsc.py with npm's smpp. Run: node server.js PORT DELAY_MS
// Each line of stdin is a script (tests/support/played.py) that replaces the one before.
'use strict';
const crypto = require('crypto');
const readline = require('readline');
const smpp = require('smpp');

const [port, delay] = process.argv.slice(2).map(Number);
const FIELDS = ['service_type', 'source_addr', 'source_addr_ton', 'source_addr_npi', 'destination_addr',
  'dest_addr_ton', 'dest_addr_npi', 'esm_class', 'protocol_id', 'priority_flag', 'data_coding', 'registered_delivery',
  'replace_if_present_flag', 'sm_default_msg_id'];
// The library reads these as Date objects; the tests want to see what stood on the wire.
const TIMES = ['schedule_delivery_time', 'validity_period'];
const STATES = {ENROUTE: 1, BUFFRED: 1, DELIVRD: 2, EXPIRED: 3, DELETED: 4, UNDELIV: 5, ACCEPTD: 6};
const PLAIN_RECEIPT = {when: 'after', delay: 0, times: 1, interim: [], stat: 'DELIVRD', error: null, id: 'same',
  tlvs: 'none', carrier: 'deliver_sm', place: 'short_message', dates: '10', dated: 0, esm_class: 4};
const PLAIN = {act: 'accept', delay: delay / 1000, jitter: 0, twice: false, id: 'hex', tlvs: 'none', receipt: PLAIN_RECEIPT};
let lastId = 0;
let rules = [];
let bindRefusals = [];
let tries = new Map(); // of each destination
let current = null; // the session that receives
let waiting = []; // receipts, while there is none

readline.createInterface({input: process.stdin})
  .on('line', (line) => {
    const script = JSON.parse(line);
    rules = script.rules;
    bindRefusals = script.refuse_binds.flatMap(({status, times}) => Array(times).fill(status));
    tries = new Map();
    waiting = [];
    tell('playing', {});
  })
  .on('close', () => process.exit()); // the test is gone

// Octets are left alone: no text decoding, and times as they stand in the PDU.
smpp.filters.message.decode = (value) => value;
smpp.filters.time.decode = (value) => value.toString();

// What the library has no words for.
smpp.addTLV('vendor', {id: 0x1400, type: smpp.types.tlv.buffer});
smpp.addTLV('raw_message_id', {id: 0x1401, type: smpp.types.tlv.buffer});
smpp.addTLV('raw_state', {id: 0x1402, type: smpp.types.tlv.buffer});
smpp.tlvs.raw_message_id.id = smpp.tlvs.receipted_message_id.id;
smpp.tlvs.raw_state.id = smpp.tlvs.message_state.id;
smpp.addCommand('unheard_of', {id: 0x00010200});

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

function idIn(form, number) {
  if (form === 'decimal') return String(number);
  if (form === 'padded') return String(number).padStart(20, '0');
  if (form === 'uuid') return crypto.randomUUID();
  if (form === 'constant') return 'constant';
  if (form === 'empty') return '';
  return number.toString(16).toUpperCase().padStart(8, '0');
}

// --- receipts

function date(digits, laterSeconds) {
  const whole = new Date(Date.now() + laterSeconds * 1000).toISOString().replace(/[-T:]/g, '').slice(0, 14);
  return {10: whole.slice(2, 12), 12: whole.slice(2), 14: whole}[digits];
}

function receiptTlvs(which, id, stat) {
  const state = {message_state: STATES[stat]};
  return {
    'proper': {receipted_message_id: id, ...state},
    'none': {},
    'state': state,
    'no-nul': {raw_message_id: Buffer.from(id), ...state},
    'vendor': {vendor: Buffer.from([1, 2, 3]), receipted_message_id: id, ...state},
    'wrong-length': {receipted_message_id: id, raw_state: Buffer.from([0, 0, STATES[stat]])},
  }[which];
}

// `send` is called with a session and what to do with its response; again with the next, if that one closes first.
function deliver(send) {
  if (!current) {
    waiting.push(send);
    return;
  }
  const session = current;
  session.unanswered.add(send);
  send(session, (response) => {
    session.unanswered.delete(send);
    if (response.command_status === 0) tell('receipt_taken', {});
  });
}

function leftBy(session) {
  if (current === session) current = null;
  const again = [...session.unanswered];
  session.unanswered.clear();
  again.forEach(deliver);
}

function receipt(pdu, id, rule, stat) {
  const error = rule.error === null ? '000' : rule.error;
  const text = Buffer.from(`id:${id} sub:001 dlvrd:001 submit date:${date(rule.dates, 0)} ` +
    `done date:${date(rule.dates, rule.dated)} stat:${stat} err:${error} text:`);
  const fields = {
    source_addr: pdu.destination_addr, source_addr_ton: 1, source_addr_npi: 1, destination_addr: pdu.source_addr,
    esm_class: rule.esm_class, ...receiptTlvs(rule.tlvs, id, stat),
  };
  const inTlv = rule.carrier === 'data_sm' || rule.place === 'message_payload';
  fields[inTlv ? 'message_payload' : 'short_message'] = text;
  tell('receipt', {});
  deliver((session, answered) => session[rule.carrier](fields, answered));
}

function receipts(pdu, id, rule) {
  if (!(pdu.registered_delivery & 1)) return;
  const interim = pdu.registered_delivery & 0x10 ? rule.interim : [];
  const stats = [...interim, ...Array(rule.times).fill(pdu.destination_addr.endsWith('03') && rule === PLAIN_RECEIPT
    ? 'EXPIRED' : rule.stat)];
  for (const stat of stats) receipt(pdu, id, rule, stat);
}

function reply(session, pdu) {
  session.deliver_sm({
    source_addr: pdu.destination_addr, source_addr_ton: 1, source_addr_npi: 1, destination_addr: pdu.source_addr,
    short_message: Buffer.from('Yes, I do!'),
  });
}

// --- submit_sm

function ruleFor(destination) {
  const fits = ({to}) => new RegExp('^' + to.replaceAll('*', '.*') + '$').test(destination);
  const rule = rules.find(fits);
  if (!rule) return PLAIN;
  const earlier = tries.get(destination) || 0;
  tries.set(destination, earlier + 1);
  return rule.times && earlier >= rule.times ? PLAIN : rule;
}

function withoutLastOctet(buffer) {
  const shorter = Buffer.from(buffer.subarray(0, -1));
  shorter.writeUInt32BE(shorter.length, 0);
  return shorter;
}

function response(pdu, id, rule) {
  const odd = {'vendor': Buffer.from([1, 2, 3]), 'wrong-length': Buffer.from([1])}[rule.tlvs];
  const whole = pdu.response({message_id: id, ...(odd && {vendor: odd})}).toBuffer();
  return ['no-nul', 'wrong-length'].includes(rule.tlvs) ? withoutLastOctet(whole) : whole;
}

function half(pdu) {
  const whole = pdu.response({message_id: '0'}).toBuffer();
  return whole.subarray(0, whole.length / 2);
}

function refuse(session, pdu, status) {
  tell('submit', {taken: false, message_id: '', ...fieldsOf(pdu)});
  session.send(pdu.response({command_status: status}));
}

function take(session, pdu, rule) {
  const number = ++lastId;
  const id = idIn(rule.id, number);
  const idOfReceipt = rule.receipt.id === 'same' ? id : idIn(rule.receipt.id, number);
  tell('submit', {taken: true, message_id: id, ...fieldsOf(pdu)});
  if (rule.receipt.when === 'before') receipts(pdu, idOfReceipt, rule.receipt);
  if (rule.act === 'take-and-close') leave(session);
  else if (rule.act === 'cut') leave(session, half(pdu));
  else if (rule.act === 'outbind') session.outbind({system_id: 'npm-smpp', password: ''});
  else if (rule.act === 'unknown') session.unheard_of({});
  if (['accept', 'outbind', 'unknown'].includes(rule.act)) {
    // Of four parts on the wire the first waits longest.
    const wait = 1000 * (rule.delay + rule.jitter * (1 - (number % 4) / 4));
    const answer = () => {
      for (let left = rule.twice ? 2 : 1; left; left--) if (!session.mute) session.socket.write(response(pdu, id, rule));
      if (rule.receipt.when === 'after') setTimeout(receipts, rule.receipt.delay * 1000, pdu, idOfReceipt, rule.receipt);
    };
    if (wait) setTimeout(answer, wait);
    else answer();
  } else if (rule.receipt.when === 'after') {
    receipts(pdu, idOfReceipt, rule.receipt);
  }
  if (pdu.destination_addr.endsWith('0070707')) reply(session, pdu);
}

function leave(session, lastWords) {
  silence(session);
  session.socket.end(lastWords);
  setTimeout(() => session.destroy(), 100); // it is deaf, and would not notice that the other side has closed
}

function silence(session) {
  session.mute = true; // and deaf
  session.pause();
  leftBy(session);
}

function submit(session, pdu) {
  const rule = ruleFor(pdu.destination_addr);
  if (rule === PLAIN && pdu.destination_addr.endsWith('11')) return refuse(session, pdu, smpp.ESME_RINVDSTADR);
  switch (rule.act) {
    case 'refuse': return refuse(session, pdu, rule.status);
    case 'nack': return session.send(new smpp.PDU('generic_nack',
      {command_status: rule.status, sequence_number: pdu.sequence_number}));
    case 'silence': return undefined;
    case 'close': return leave(session);
    case 'stall':
      session.socket.write(half(pdu));
      return silence(session);
    case 'unbind': return session.unbind(() => session.close());
    default: return take(session, pdu, rule);
  }
}

smpp.createServer((session) => {
  let bound = false;
  session.unanswered = new Set();
  for (const bind of ['bind_transceiver', 'bind_transmitter', 'bind_receiver']) {
    session.on(bind, (pdu) => {
      const status = bindRefusals.shift();
      if (status) {
        tell('bind_refused', {});
        session.send(pdu.response({command_status: status}));
        return;
      }
      bound = true;
      session.send(pdu.response({system_id: 'npm-smpp'}));
      tell('bound', {});
      if (bind === 'bind_transmitter') return;
      current = session;
      waiting.splice(0).forEach(deliver);
    });
  }
  session.on('submit_sm', (pdu) => submit(session, pdu));
  session.on('enquire_link', (pdu) => session.send(pdu.response()));
  session.on('unbind', (pdu) => {
    session.send(pdu.response());
    session.close();
  });
  session.on('close', () => {
    leftBy(session);
    if (bound) tell('unbound', {});
  });
  session.on('error', (error) => console.error(`npm-smpp, ${bound ? 'bound' : 'not bound'}: ${error}`));
}).listen(port, '127.0.0.1', () => tell('listening', {}));
