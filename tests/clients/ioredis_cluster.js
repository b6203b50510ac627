// ioredis' cluster client: slots from CLUSTER SLOTS, pipelines, scripts, MOVED, ASK, sharded and ordinary messages.
"use strict";

const Redis = require("ioredis");

const [host, port, movingSource, movingTarget] = process.argv.slice(2);
const endpoint = (text) => ({ host: text.split(":")[0], port: Number(text.split(":")[1]) });
const seen = {};

async function moveHalf(slot, keys) {
  const source = new Redis(endpoint(movingSource));
  const target = new Redis(endpoint(movingTarget));
  const [sourceId, targetId] = [await source.cluster("MYID"), await target.cluster("MYID")];
  await target.cluster("SETSLOT", slot, "IMPORTING", sourceId);
  await source.cluster("SETSLOT", slot, "MIGRATING", targetId);
  const { host, port } = endpoint(movingTarget);
  await source.migrate(host, port, "", 0, 5000, "KEYS", ...keys);
  return async (rest) => {
    await source.migrate(host, port, "", 0, 5000, "KEYS", ...rest);
    await target.cluster("SETSLOT", slot, "NODE", targetId);
    await source.cluster("SETSLOT", slot, "NODE", targetId);
    source.disconnect();
    target.disconnect();
  };
}

async function main() {
  const cluster = new Redis.Cluster([{ host, port: Number(port) }]);
  await Promise.all([...Array(100).keys()].map((n) => cluster.set(`key${n}`, n)));
  const values = await Promise.all([...Array(100).keys()].map((n) => cluster.get(`key${n}`)));
  seen.sum = values.map(Number).reduce((a, b) => a + b);
  const results = await cluster.pipeline().set("{tag}a", 1).incr("{tag}a").get("{tag}a").exec();
  seen.pipeline = results.map(([error, value]) => error || value);
  seen.multi = (await cluster.multi().incr("{tag}a").incr("{tag}a").exec()).map(([, value]) => value);
  seen.crossed = await cluster.mset("a", 1, "b", 2).catch((error) => error.message);
  cluster.defineCommand("twice", { numberOfKeys: 1, lua: "return redis.call('INCRBY', KEYS[1], redis.call('GET', KEYS[1]))" });
  seen.script = await cluster.twice("{tag}a");

  const slot = await cluster.cluster("KEYSLOT", "{moving}");
  const moving = [...Array(10).keys()].map((n) => `{moving}${n}`);
  for (const key of moving) await cluster.set(key, key);
  const finish = await moveHalf(slot, moving.slice(0, 5));
  seen.asked = (await Promise.all(moving.map((key) => cluster.get(key)))).join() === moving.join();
  await finish(moving.slice(5));
  seen.moved = (await Promise.all(moving.map((key) => cluster.get(key)))).join() === moving.join();

  const subscriber = new Redis.Cluster([{ host, port: Number(port) }]);
  await subscriber.subscribe("news");
  const message = new Promise((resolve) => subscriber.once("message", (channel, text) => resolve(`${channel}: ${text}`)));
  await cluster.publish("news", "hello");
  seen.message = await message;
  subscriber.disconnect();
  cluster.disconnect();
  process.stdout.write(JSON.stringify(seen));
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
