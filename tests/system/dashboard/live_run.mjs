// SPDX-License-Identifier: Apache-2.0
// live_run.mjs ADDRESS JOB FOLDER: looks at a run of five workers as a person would. Says `kill` and `start` on
// standard output when br-lab's worker is to die and to come back, and reads a line when that is done. Screenshots go
// into FOLDER.

import readline from 'node:readline';
import { Look, expect } from './look.mjs';

const [address, job, folder] = process.argv.slice(2);
const answers = readline.createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const ask = async (what) => {
  console.log(what);
  await answers.next();
};
const noticeMax = 30_000; // Milliseconds from a worker's death to its place in the page, however busy the machine.

const look = await Look.begin();
const federation = await look.page(address);
const jobPage = await look.page(`${address}jobs/${job}`);

// Everybody is there, and who calls itself <script> is text.
await federation.waitForFunction(() => document.querySelectorAll('tr[data-worker]').length === 5);
expect(await federation.locator('text=<script>alert(1)</script>').count() === 1, 'the odd member is not shown as text');
expect(await federation.locator('main script').count() === 0, 'the odd member became a script');
expect((await federation.locator('tr[data-worker="fr-lab/w"]').textContent()).includes('\u{1F1EB}\u{1F1F7}'), 'fr-lab has no flag');

// A round goes by without a reload.
await jobPage.evaluate(() => { window.notReloaded = true; });
await jobPage.waitForSelector('tr[data-round="1"]');
await jobPage.waitForSelector('tr[data-round="2"]');
expect(await jobPage.evaluate(() => window.notReloaded), 'the page was loaded again');
await federation.locator('tr[data-worker="br-lab/w"] .chip.good').waitFor();

// What a worker does, and how far it is.
await federation.locator('td[data-label="Doing now"] .why', { hasText: /step [\d,]+ of [\d,]+|\d+ %/ }).first().waitFor();

// Why ca-lab takes no part.
const reason = jobPage.locator('tr[data-worker="ca-lab/w"][data-state="declined"]');
await reason.waitFor();
expect((await reason.textContent()).includes('only-others'), `the declined task has no reason: ${await reason.textContent()}`);

// Why in-lab's update does not count.
const outOfBounds = /tensor "[^"]+" holds -?[0-9.]+ at index [0-9]+; values beyond 256 are refused/;
const refusal = jobPage.locator('tr[data-worker="in-lab/w"][data-state="refused"]');
await refusal.waitFor();
const refusalText = await refusal.textContent();
expect(outOfBounds.test(refusalText), `the refused update has no reason: ${refusalText}`);

// How much each member counts, and how much it may at most.
const weights = await jobPage.locator('p', { hasText: /^Weights are those of round \d+; accuracy and loss are those of round \d+\. / }).textContent();
expect(weights.endsWith("The recipe caps a member's weight at 60 %."), `the page does not say what caps weights: ${weights}`);
expect(/^[0-9.]+ %$/.test(await jobPage.locator('tr[data-member="fr-lab"] td[data-label="Weight"]').textContent()), 'the page does not show what fr-lab counts');

// Every page, light and dark, on a desk and on a phone.
const desk = { width: 1280, height: 800 };
const phone = { width: 390, height: 844 };
for (const [path, name] of [['', 'federation'], ['jobs', 'jobs'], [`jobs/${job}`, 'job'], [`jobs/${job}/rounds/2`, 'round'], ['events', 'events']]) {
  const page = await look.page(address + path);
  await page.waitForFunction(() => document.querySelectorAll('main tr, main li').length > 1);
  for (const [scheme, size, isChecked] of [['light', desk, true], ['dark', desk, false], ['light', phone, false], ['dark', phone, true]]) {
    await page.setViewportSize(size);
    await page.emulateMedia({ colorScheme: scheme });
    await page.waitForTimeout(300); // Charts draw in the next frames; nothing is expected of the time.
    const what = `${name}-${size === desk ? 'desk' : 'phone'}-${scheme}`;
    if (isChecked) await look.check(page, what);
    await page.screenshot({ path: `${folder}/${what}.png` });
  }
  await page.context().close();
}

// Whether a job learns: two lines, for who sees and for who does not.
const jobs = await look.page(`${address}jobs`);
await jobs.waitForFunction(() => Chart.getChart(document.querySelector('canvas.trail'))?.data.datasets.length === 2);
const trail = await jobs.locator('canvas.trail').getAttribute('aria-label');
expect(/^accuracy from [0-9.]+ % to [0-9.]+ %, loss from [0-9.e-]+ to [0-9.e-]+$/.test(trail), `the job's trail is called "${trail}"`);

// What a round says of itself.
const round = await look.page(`${address}jobs/${job}/rounds/2`);
expect((await round.locator('.facts').textContent()).includes('What closed it'), 'the round does not say what closed it');
expect(await round.locator('tr[data-state="accepted"]').count() >= 3, 'the round does not show its accepted updates');
expect((await round.locator('tr[data-worker="ca-lab/w"]').textContent()).includes('only-others'), 'the round does not say why ca-lab declined');
const norms = await round.locator('tr[data-state="accepted"] td[data-label="Norm"]').allTextContents();
expect(norms.every((norm) => Number(norm) > 0), `the round does not show the norms of its accepted updates: ${norms}`);
const refused = round.locator('tr[data-worker="in-lab/w"]');
expect(await refused.getAttribute('data-state') === 'refused', `the round shows in-lab as ${await refused.getAttribute('data-state')}, not as refused`);
const refusedText = await refused.textContent();
expect(refusedText.includes('update refused') && outOfBounds.test(refusedText), `the round does not say why in-lab's update was refused: ${refusedText}`);
const refusedDigest = await refused.locator('td[data-label="Digest"]').textContent();
expect(/^[0-9a-f]{12}$/.test(refusedDigest), `the round does not show the digest of in-lab's refused update: ${refusedDigest}`);

// The keyboard reaches the content first, then the pages.
await federation.bringToFront();
await federation.keyboard.press('Tab');
expect(await federation.evaluate(() => document.activeElement.className) === 'skip', 'the first Tab does not lead to the content');

// Whoever has gone to a link or a field by keyboard stays there, whatever is drawn anew: two rounds long.
await jobPage.bringToFront();
const focused = () => jobPage.evaluate(() => document.activeElement.getAttribute('aria-label') ?? document.activeElement.textContent.slice(0, 80));
const roundsGoBy = async () => {
  const last = await jobPage.evaluate(() => Number(document.querySelector('tr[data-round]').dataset.round));
  await jobPage.waitForFunction((wanted) => Number(document.querySelector('tr[data-round]').dataset.round) >= wanted, last + 2);
};
await jobPage.locator('a[href^="/api/models/"]').focus();
await jobPage.waitForTimeout(2000); // What the page draws each second; nothing has to be done by then.
expect(await focused() === 'download it', `the focus went from the model's link to "${await focused()}" while time passed`);
await roundsGoBy();
expect(await focused() === 'download it', `the focus went from the model's link to "${await focused()}" with a new round`);
const box = jobPage.getByLabel('fr-lab in the charts');
await box.focus();
// A press is lost if a round ends between key down and key up.
for (let i = 0; i < 5 && await box.isChecked(); i += 1) await jobPage.keyboard.press('Space');
expect(!await box.isChecked(), 'Space does not take a member out of the charts');
expect(await focused() === 'fr-lab in the charts', `the focus went from a member's field to "${await focused()}" with its change`);
await roundsGoBy();
expect(!await box.isChecked(), 'a member that was taken out of the charts is back with a new round');
expect(await focused() === 'fr-lab in the charts', `the focus went from a member's field to "${await focused()}" with a new round`);

// A model that browsers are not given is not offered to them.
const large = await look.page(`${address}jobs/${job}`);
await large.route(`**/api/jobs/${job}`, async (route) => {
  const response = await route.fetch();
  const state = await response.json();
  state.job.modelBytes = state.job.modelBytesMax + 1;
  await route.fulfill({ response, json: state });
});
// The same page has as many rounds as it shows at once, and is told of no line of the journal but that it misses some.
await large.route(`**/api/jobs/${job}/history`, async (route) => {
  const response = await route.fetch();
  const history = await response.json();
  while (history.rows.length < 50) history.rows.unshift({ ...history.rows[0], round: history.rows[0].round - 1 });
  await route.fulfill({ response, json: { ...history, rows: history.rows.slice(-50) } });
});
await large.addInitScript(() => {
  const listen = EventSource.prototype.addEventListener;
  EventSource.prototype.addEventListener = function (name, hear) {
    listen.call(this, name, name !== 'journal' ? hear : ({ data }) => hear({ data: JSON.stringify({ lines: [], skipped: JSON.parse(data).lines.length }) }));
  };
});
await large.reload();
await large.getByText(`entente model pull ${job}`).first().waitFor();
expect(await large.locator('a[href^="/api/models/"]').count() === 0, 'a model that is too large for a browser is offered as a link');
await large.waitForRequest(`${address}api/jobs/${job}`); // For the lines that it was not told.
await large.getByRole('button', { name: 'Show older rounds' }).waitFor(); // With one round more than is shown.
await large.unrouteAll({ behavior: 'ignoreErrors' });
await large.context().close();

// A death and a return.
await federation.locator('tr[data-worker="br-lab/w"] .chip.good').waitFor();
await ask('kill');
const died = Date.now();
await federation.locator('tr[data-worker="br-lab/w"] .chip.bad').waitFor();
console.error(`a worker's death was in the page after ${Date.now() - died} ms`);
expect(Date.now() - died <= noticeMax, `a worker's death was in the page only after ${Date.now() - died} ms`);
await ask('start');
const returned = Date.now();
await federation.locator('tr[data-worker="br-lab/w"] .chip.good').waitFor();
console.error(`its return was in the page after ${Date.now() - returned} ms`);
expect(Date.now() - returned <= noticeMax, `its return was in the page only after ${Date.now() - returned} ms`);

// The journal has it all, and is filtered.
const events = await look.page(`${address}events?worker=ca-lab&bad=1`);
await events.locator('li.bad').first().waitFor();
expect(await events.locator('li:not(.bad)').count() === 0, 'the filter lets through what is no setback');
const setbacks = await look.page(`${address}events?worker=in-lab&bad=1`);
await setbacks.locator('li.bad', { hasText: outOfBounds }).first().waitFor();

// Addresses that lead nowhere.
const nowhere = await look.browser.newPage();
for (const path of ['nothing', 'jobs/%3Cscript%3Ealert(1)%3C%2Fscript%3E', 'jobs/none-abc234', `jobs/${job}/rounds/999999`]) {
  const answer = await nowhere.goto(address + path);
  await nowhere.waitForTimeout(200);
  expect(answer.status() < 500, `${path} is answered ${answer.status()}`);
  if (path === 'nothing') continue; // Plain text.
  await nowhere.waitForSelector('[role="alert"]');
  expect(await nowhere.locator('main script').count() === 0, `${path} put a script into the page`);
}
await look.end();
process.exit(); // The script still holds standard input open.
