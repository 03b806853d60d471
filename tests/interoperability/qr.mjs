// Two readers of other people read a QR code of ours: promptparse (Thai) and emvqr (EMVCo in general).
//
// Standard input: { payload }. Standard output: what each of them reads, as JSON.
import { readFileSync } from 'node:fs';
import emvqr from 'emvqr';
import { parse, validate } from 'promptparse';

const { payload } = JSON.parse(readFileSync(0, 'utf8'));

/** The payload with one character changed. */
function changedAt(at) {
  const other = payload[at] === '0' ? '1' : '0';
  return payload.slice(0, at) + other + payload.slice(at + 1);
}

/** What emvqr reads; it compares a checksum below 0x0100 without its leading zeros, and so refuses it. */
function readByEmvqr() {
  if (payload.slice(-4).startsWith('00')) return null;
  const fields = emvqr.decode(payload);
  return {
    billerId: fields['30'].data['01'].data,
    ref1: fields['30'].data['02'].data,
    amount: fields['54'].data,
    currency: fields['53'].data,
    country: fields['58'].data,
  };
}

const positions = [...payload].map((_, at) => at);
const onceOnly = parse(payload, true)?.getTagValue('01') === '12';
const accepted = positions.filter((at) => validate.billPayment(changedAt(at)) !== null);
console.log(
  JSON.stringify({
    promptparse: validate.billPayment(payload),
    emvqr: readByEmvqr(),
    onceOnly,
    changesTried: positions.length,
    changesAccepted: accepted,
  }),
);
