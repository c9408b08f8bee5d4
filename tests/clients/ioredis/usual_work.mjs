// What an application does with ioredis: usual_work.mjs PORT. Prints one line per check, exits 1 at the first that fails.
import assert from 'node:assert/strict';
import Redis from 'ioredis';

const redis = new Redis(Number(process.argv[2]), {connectionName: 'ioredis-test', db: 3});
const checks = {
  'becomes ready': async () => assert.equal(await redis.ping(), 'PONG'),
  'sets and gets with a TTL': async () => {
    assert.equal(await redis.set('session:1', 'data', 'EX', 100), 'OK');
    assert.equal(await redis.get('session:1'), 'data');
    const ttl = await redis.ttl('session:1');
    assert.ok(ttl > 90 && ttl <= 100);
  },
  'pipelines': async () => {
    const results = await redis.pipeline().incr('n').incrby('n', 41).get('n').exec();
    assert.deepEqual(results, [[null, 1], [null, 42], [null, '42']]);
  },
  'runs transactions': async () => {
    assert.deepEqual(await redis.multi().set('a', '1').incr('a').exec(), [[null, 'OK'], [null, 2]]);
  },
  'sees a watched key change': async () => {
    const other = redis.duplicate();
    await redis.watch('a');
    await other.set('a', 'changed');
    assert.equal(await redis.multi().set('a', 'mine').exec(), null);
    other.disconnect();
  },
  'gets an error as an exception': async () => {
    await redis.set('text', 'abc');
    await assert.rejects(redis.incr('text'), /not an integer/);
  },
  'scans with a stream': async () => {
    await redis.flushdb();
    const pipeline = redis.pipeline();
    for (let i = 0; i < 500; i++) pipeline.set(`scan:${i}`, i);
    await pipeline.exec();
    const seen = new Set();
    for await (const keys of redis.scanStream({match: 'scan:*', count: 50})) keys.forEach((key) => seen.add(key));
    assert.equal(seen.size, 500);
  },
  'keeps binary values': async () => {
    const bytes = Buffer.from([0, 255, 13, 10, 128]);
    await redis.set('binary', bytes);
    assert.deepEqual(await redis.getBuffer('binary'), bytes);
  },
  'reads its name and the server': async () => {
    assert.equal(await redis.client('GETNAME'), 'ioredis-test');
    assert.match(await redis.info('server'), /redis_version:7\.2\.4/);
  },
};
for (const [name, check] of Object.entries(checks)) {
  await check().then(() => console.log(`ok ${name}`), (problem) => {
    console.log(`failed ${name}: ${problem.message}`);
    process.exitCode = 1;
  });
}
redis.disconnect();
