// SPDX-License-Identifier: Apache-2.0
// long_job.mjs ADDRESS JOB FOLDER: the pages of a federation of 200 members and of a job of 1,000 rounds load in under a
// second and stay under 100 MiB in the browser. A busy machine may spoil a load, so the best of several counts.

import fs from 'node:fs';
import { Look, expect } from './look.mjs';

const [address, job, folder] = process.argv.slice(2);
const loads = [3, 30]; // At least, and at most until one is fast enough.
const loadMax = 1000; // Milliseconds.
const memoryMax = 100 * 2 ** 20;

// Memory that is the page's own: not what all processes of the browser share.
async function privateBytes(look) {
  const session = await look.browser.newBrowserCDPSession();
  const { processInfo } = await session.send('SystemInfo.getProcessInfo');
  const sizes = processInfo.filter(({ type }) => type === 'renderer').map(({ id }) => {
    const text = fs.readFileSync(`/proc/${id}/smaps_rollup`, 'utf8');
    return 1024 * ['Private_Clean', 'Private_Dirty'].reduce((sum, name) => sum + Number(new RegExp(`^${name}: +(\\d+)`, 'm').exec(text)[1]), 0);
  });
  return Math.max(...sizes);
}

for (const [path, rows, name] of [['', 200, 'federation'], [`jobs/${job}`, 200 + 50, 'job'], [`jobs/${job}/rounds/951`, 200, 'round'], ['events', 0, 'events']]) {
  const look = await Look.begin();
  const page = await look.page(address + path);
  const bytes = await privateBytes(look);
  let best = Infinity;
  for (let i = 0; i < loads[0] || (i < loads[1] && best >= loadMax); i += 1) {
    await page.reload({ waitUntil: 'commit' });
    await page.waitForFunction((wanted) => document.querySelectorAll('main tbody tr, main li').length >= Math.max(1, wanted), rows, { polling: 20 });
    best = Math.min(best, await page.evaluate(() => performance.now()));
  }
  await look.check(page, `${name} of the long job`);
  await page.screenshot({ path: `${folder}/long-${name}.png` });
  console.log(`${name}: loaded in ${Math.round(best)} ms, ${(bytes / 2 ** 20).toFixed(1)} MiB`);
  await look.end();
  expect(best < loadMax, `${name} took ${Math.round(best)} ms to load`);
  expect(bytes < memoryMax, `${name} takes ${(bytes / 2 ** 20).toFixed(1)} MiB of the browser's memory`);
}
