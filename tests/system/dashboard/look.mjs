// SPDX-License-Identifier: Apache-2.0
// What the tests do with a browser: open, wait for a condition, look for what is wrong.

import fs from 'node:fs';
import { createRequire } from 'node:module';
import { chromium } from 'playwright-core';

const axe = fs.readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
export const generous = 300_000; // Milliseconds; for whatever has no limit of its own, on whatever machine.

export class Look {
  static async begin() {
    const look = new Look();
    look.browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'], timeout: generous });
    look.complaints = [];
    return look;
  }

  async page(address, { scheme = 'light', viewport = { width: 1280, height: 800 } } = {}) {
    const context = await this.browser.newContext({ viewport, colorScheme: scheme });
    const page = await context.newPage();
    page.setDefaultTimeout(generous);
    page.on('console', (message) => { if (['error', 'warning'].includes(message.type())) this.complaints.push(`${page.url()}: ${message.text()}`); });
    page.on('pageerror', (error) => this.complaints.push(`${page.url()}: ${error.message}`));
    await page.goto(address, { timeout: generous });
    await page.waitForFunction(() => document.getElementById('live')?.dataset.state === 'live' && document.querySelector('h1') !== null);
    return page;
  }

  // No serious finding of axe-core, and nothing beside the screen.
  async check(page, name) {
    await page.evaluate(axe);
    const { violations } = await page.evaluate(() => axe.run());
    for (const one of violations.filter(({ impact }) => ['serious', 'critical'].includes(impact))) {
      this.complaints.push(`${name}: ${one.impact}: ${one.help}: ${one.nodes.map((node) => node.html).slice(0, 3).join(' ')}`);
    }
    const [wide, there] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
    if (wide > there) this.complaints.push(`${name}: is ${wide} pixels wide on a screen of ${there}`);
  }

  async end() {
    await this.browser.close();
    if (this.complaints.length > 0) throw new Error(`the browser complains:\n${this.complaints.join('\n')}`);
  }
}

export function expect(condition, sentence) {
  if (!condition) throw new Error(sentence);
}
