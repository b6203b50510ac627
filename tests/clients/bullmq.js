// Runs queues of BullMQ against the server at HOST PORT and prints what came of them as one line of JSON.
const { FlowProducer, Queue, QueueEvents, Worker } = require('bullmq')

const [host, port] = process.argv.slice(2)
const connection = { host, port: Number(port), maxRetriesPerRequest: null }

async function main() {
  const queue = new Queue('work', { connection })
  const events = new QueueEvents('work', { connection })
  await events.waitUntilReady()
  const attempts = {}
  const worker = new Worker('work', async (job) => {
    attempts[job.id] = (attempts[job.id] || 0) + 1
    if (job.data.failures >= attempts[job.id]) throw new Error('not yet')
    if (job.name === 'parent') {
      const children = Object.values(await job.getChildrenValues())
      return children.reduce((sum, value) => sum + value, 0)
    }
    await job.updateProgress(50)
    return job.data.number * 2
  }, { connection, concurrency: 4, limiter: { max: 1000, duration: 1000 } })
  const result = (job) => job.waitUntilFinished(events, 20000)
  const outcome = {}

  outcome.plain = await result(await queue.add('double', { number: 21 }))

  const started = Date.now()
  outcome.delayed = await result(await queue.add('double', { number: 1 }, { delay: 200 }))
  outcome.waited = Date.now() - started >= 200

  const stubborn = await queue.add('double', { number: 5, failures: 2 }, { attempts: 3, backoff: { type: 'exponential', delay: 20 } })
  outcome.retried = await result(stubborn)
  outcome.attempts = attempts[stubborn.id]

  const hopeless = await queue.add('double', { number: 1, failures: 9 }, { attempts: 2, backoff: 10 })
  outcome.failed = await result(hopeless).catch((error) => error.message)
  outcome.failures = await queue.getFailedCount()

  const flows = new FlowProducer({ connection })
  const child = (number) => ({ name: 'double', queueName: 'work', data: { number } })
  const tree = await flows.add({
    name: 'parent', queueName: 'work', data: {},
    children: [child(1), child(2), { ...child(3), name: 'parent', children: [child(10)] }]
  })
  outcome.flow = await result(tree.job)

  const jobs = await queue.addBulk(Array.from({ length: 200 }, (_, number) => ({ name: 'double', data: { number }, opts: { priority: number % 3 } })))
  const results = await Promise.all(jobs.map(result))
  outcome.bulk = results.reduce((sum, value) => sum + value, 0)

  outcome.deduplicated = (await queue.add('double', { number: 7 }, { jobId: 'once' })).id ===
    (await queue.add('double', { number: 8 }, { jobId: 'once' })).id
  await queue.pause()
  const held = await queue.add('double', { number: 4 })
  outcome.paused = await queue.isPaused()
  await queue.resume()
  outcome.resumed = await result(held)

  await queue.upsertJobScheduler('tick', { every: 50, limit: 2 }, { name: 'double', data: { number: 100 } })
  outcome.schedulers = (await queue.getJobSchedulers()).length
  await queue.removeJobScheduler('tick')

  await worker.close()
  await queue.obliterate({ force: true })
  outcome.left = await queue.getJobCounts('waiting', 'active', 'delayed', 'failed', 'completed')
  await Promise.all([flows.close(), events.close(), queue.close()])
  console.log(JSON.stringify(outcome))
}

main().catch((error) => { console.error(error); process.exit(1) })
