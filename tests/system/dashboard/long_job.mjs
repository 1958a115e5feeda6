// SPDX-License-Identifier: Apache-2.0
// long_job.mjs ADDRESS JOB FOLDER LOAD_MAX: the pages of a federation of 200 members and of a job of 1,000 rounds load in
// under LOAD_MAX milliseconds and stay under 100 MiB in the browser, with every chart drawn. A busy machine may spoil a
// load, so the best of several counts.

import fs from 'node:fs';
import { Look, expect } from './look.mjs';

const [address, job, folder] = process.argv.slice(2);
const loads = [3, 30]; // At least, and at most until one is fast enough.
const loadMax = Number(process.argv[5]);
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

// Goes to every chart, for what nobody has seen is not drawn. Returns how many there are.
async function seeCharts(page) {
  const canvases = page.locator('section:not([hidden]) figure:not([hidden]) canvas, canvas.trail');
  const count = await canvases.count();
  for (let i = 0; i < count; i += 1) {
    await canvases.nth(i).scrollIntoViewIfNeeded();
    await page.waitForFunction((canvas) => Chart.getChart(canvas) !== undefined, await canvases.nth(i).elementHandle());
  }
  await page.evaluate(() => scrollTo(0, 0));
  return count;
}

const pages = [
  ['', 200, 'federation', 0], ['jobs', 1, 'jobs', 1], [`jobs/${job}`, 200 + 50, 'job', 4], [`jobs/${job}/rounds/951`, 200, 'round', 0], ['events', 0, 'events', 0],
];
for (const [path, rows, name, charts] of pages) {
  const look = await Look.begin();
  const page = await look.page(address + path);
  expect(await seeCharts(page) === charts, `${name} has not the ${charts} charts that it is to have`);
  let bytes = await privateBytes(look);
  let best = Infinity;
  for (let i = 0; i < loads[0] || (i < loads[1] && best >= loadMax); i += 1) {
    await page.reload({ waitUntil: 'commit' });
    await page.waitForFunction((wanted) => document.querySelectorAll('main tbody tr, main li').length >= Math.max(1, wanted), rows, { polling: 20 });
    best = Math.min(best, await page.evaluate(() => performance.now()));
  }
  // Again, after so many loads: what the page holds, not what was left by those before.
  await seeCharts(page);
  await (await page.context().newCDPSession(page)).send('HeapProfiler.collectGarbage');
  bytes = Math.max(bytes, await privateBytes(look));
  await look.check(page, `${name} of the long job`);
  await page.screenshot({ path: `${folder}/long-${name}.png` });
  console.log(`${name}: loaded in ${Math.round(best)} ms, ${(bytes / 2 ** 20).toFixed(1)} MiB`);
  await look.end();
  expect(best < loadMax, `${name} took ${Math.round(best)} ms to load`);
  expect(bytes < memoryMax, `${name} takes ${(bytes / 2 ** 20).toFixed(1)} MiB of the browser's memory`);
}
