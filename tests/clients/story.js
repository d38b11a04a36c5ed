// The clients' story in node-postgres: a pool, parameters as $1, numerics as the strings that pg hands out, errors with
// err.code and err.detail. The test runs this file and counts the lines that it prints.

'use strict';

const { isDeepStrictEqual } = require('node:util');
const { Pool } = require('pg');

const customer = "node o'brien";

function check(got, expected, what) {
  const same = isDeepStrictEqual(got, expected);
  console.log(same ? `ok ${what}` : `FAIL ${what}: expected ${JSON.stringify(expected)}, got ${JSON.stringify(got)}`);
}

async function main() {
  const pool = new Pool({ database: process.argv[2] });
  const one = async (text, values) => (await pool.query(text, values)).rows[0];
  try {
    await pool.query('SELECT * FROM credits.meter_create($1, unit_price => $2)', ['node_answers', '0.5']);

    const signedUp = await one('SELECT * FROM credits.customer_upsert($1, name => $2)', [customer, "Pat O'Brien"]);
    check(signedUp.customer_id, customer, 'signed up');

    const grant = await one('SELECT * FROM credits.credit_grant($1, $2, name => $3, metadata => $4)', [
      customer, 20, 'sign-up bonus', { campaign: 'spring' },
    ]);
    check(Number(grant.remaining), 20, '20 granted');
    check(grant.metadata, { campaign: 'spring' }, 'metadata comes back as an object');

    const debit = await one('SELECT * FROM credits.wallet_debit($1, $2, idempotency_key => $3)', [
      customer, '5', 'order 1',
    ]);
    check([Number(debit.debited), Number(debit.available), debit.replayed], [5, 15, false], '5 debited, 15 left');

    const refused = await one('SELECT * FROM credits.wallet_try_debit($1, $2, idempotency_key => $3)', [
      customer, '1000', 'order 2',
    ]);
    check([refused.ok, Number(refused.shortfall), refused.operation_id], [false, 985, null],
      'wallet_try_debit: ok = false, 985 short');

    const report = 'SELECT * FROM credits.report_meter_event($1, $2, $3, $4, occurred_at => $5)';
    const first = await one(report, [customer, 'node_answers', 4, 'answer_node', new Date()]);
    const again = await one(report, [customer, 'node_answers', 4, 'answer_node', new Date()]);
    check([Number(first.consumed), first.replayed, Number(again.consumed), again.replayed], [2, false, 2, true],
      'reported twice, charged once');

    const batch = await pool.query('SELECT * FROM credits.report_meter_events($1, $2, $3, $4)', [
      [customer, customer], ['node_answers', 'no such meter'], ['2', '1'], ['batch_1', 'batch_2'],
    ]);
    check(batch.rows.map((row) => [row.identifier, row.error]), [['batch_1', null], ['batch_2', 'PC004']],
      'a batch from four arrays, one bad event');

    const balance = await one('SELECT * FROM credits.wallet_balance($1, $2)', [customer, 'CREDIT']);
    check([Number(balance.available), Number(balance.pending)], [12, 0], '12 left, nothing owed');

    await refusal(pool);
    await together(pool);
    await held(pool);
  } finally {
    await pool.end();
  }
  console.log('done');
}

// An uncovered debit: the code that a program acts on, and what it tells its user.
async function refusal(pool) {
  try {
    await pool.query('SELECT * FROM credits.wallet_debit($1, $2)', [customer, '1000']);
    check('no error', 'PC001', 'err.code of an uncovered debit');
  } catch (err) {
    check(err.code, 'PC001', 'err.code of an uncovered debit');
    const detail = JSON.parse(err.detail);
    check(Object.keys(detail).sort(), ['available', 'currency', 'customer_id', 'requested', 'shortfall'],
      'err.detail is JSON with five values');
    check([detail.customer_id, detail.currency], [customer, 'CREDIT'], 'whose and of what');
    check([detail.available, detail.requested, detail.shortfall].map(Number), [12, 1000, 988], 'the amounts');
  }
}

// The job and its debit commit or fail as one.
async function together(pool) {
  const client = await pool.connect();
  try {
    await client.query('BEGIN');
    await client.query('SELECT * FROM credits.wallet_debit($1, $2)', [customer, '10']);
    await client.query('ROLLBACK');
  } finally {
    client.release();
  }
  const { rows } = await pool.query('SELECT available FROM credits.wallet_balance($1, $2)', [customer, 'CREDIT']);
  check(Number(rows[0].available), 12, 'a rolled back debit took nothing');
}

// Hold the most that a job can cost, settle what it did cost.
async function held(pool) {
  const one = async (text, values) => (await pool.query(text, values)).rows[0];
  const hold = await one('SELECT * FROM credits.hold_create($1, $2, expires_in => $3)', [customer, '10', '5 minutes']);
  check([Number(hold.amount), Number(hold.available)], [10, 2], '10 held, 2 left');
  const capture = 'SELECT * FROM credits.hold_capture($1, $2, $3)';
  const done = await one(capture, [customer, hold.hold_id, '7.5']);
  check([done.status, Number(done.captured), Number(done.released), Number(done.available)], ['captured', 7.5, 2.5, 4.5],
    '7.5 captured, the rest is back');
  try {
    await one(capture, [customer, hold.hold_id, '8']);
    check('no error', 'PC010', 'captured once');
  } catch (err) {
    check([err.code, JSON.parse(err.detail).state], ['PC010', 'captured'],
      'captured once: PC010, and DETAIL says the state');
  }
}

main().catch((err) => {
  console.log(`FAIL the story runs to its end: ${err.code || ''} ${err.message}`);
  process.exitCode = 1;
});
