// Drives redis-commander in a browser.  usage: node redis_commander.cjs NODE_MODULES CHROMIUM URL
// Prints one JSON object: what was seen, by step.  The caller compares the keys on the server.
"use strict";
const path = require("path");
const [modules, chromium, url] = process.argv.slice(2);
const playwright = require(path.join(modules, "playwright-core"));

const seen = {};

async function open(page, key) {
  await page.click(`#keyTree a.jstree-anchor:has-text("${key}")`);
  await page.waitForFunction((name) => document.querySelector("#body").innerText.includes(name), key);
  return (await page.innerText("#body")).replace(/\s+/g, " ");
}

/** Runs *action* and waits for the answer to the request that it posts. */
async function posting(page, action) {
  const answered = page.waitForResponse((response) => response.request().method() === "POST");
  await action();
  const response = await answered;
  if (!response.ok()) throw new Error(`${response.url()} answered ${response.status()}`);
}

async function edit(page, row, modal, fields, button) {
  await page[row.includes("button") ? "click" : "dblclick"](row);
  await page.waitForSelector(`#${modal}.in`, { state: "visible" });
  for (const [field, value] of Object.entries(fields)) await page.fill(`#${field}`, value);
  await posting(page, () => page.click(`#${modal} ${button}`));
  await page.waitForSelector(`#${modal}`, { state: "hidden" });
}

async function main() {
  const browser = await playwright.chromium.launch({
    executablePath: chromium, headless: true, args: ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"],
  });
  const page = await browser.newPage();
  page.setDefaultTimeout(20000);
  const problems = [];
  page.on("pageerror", (error) => problems.push(String(error)));
  page.on("dialog", (dialog) => dialog.accept());
  await page.goto(url);
  await page.waitForSelector('#keyTree a.jstree-anchor:has-text("a-string")');
  seen.tree = await page.$$eval("#keyTree a.jstree-anchor", (found) => found.map((each) => each.innerText.trim()));
  await page.click("#keyTree a.jstree-anchor >> nth=0");
  await page.waitForFunction(() => /7\.2\.4/.test(document.querySelector("#body").innerText));
  seen.info = (await page.innerText("#body")).replace(/\s+/g, " ");

  seen.string = await open(page, "a-string");
  seen.stringValue = await page.inputValue("#stringValue");
  await page.fill("#stringValue", "edited string");
  await posting(page, () => page.click("#body #saveKeyButton"));

  seen.list = await open(page, "b-list");
  await edit(page, "#itemData #plain_1", "editListValueModal", { listValue: "edited element" }, "#editListValueButton");
  seen.set = await open(page, "c-set");
  await edit(page, "#itemData #plain_0", "editSetMemberModal", { setMember: "edited member" }, "#editSetMemberButton");
  seen.zset = await open(page, "d-zset");
  await edit(page, "#itemData #plain_0", "editZSetMemberModal", { zSetScore: "4.5", zSetValue: "edited" },
    "#editZSetValueButton");
  seen.hash = await open(page, "e-hash");
  await edit(page, "#itemData #plain_field", "editHashFieldModal", { hashFieldValue: "edited value" },
    "#editHashFieldButton");
  seen.stream = await open(page, "f-stream");
  await edit(page, '#itemActionsBar button:has-text("Add")', "addXSetMemberModal",
    { addXSetTimestamp: "5-0", addXSetField: "new", addXSetValue: "entry" }, "#saveXMemberButton");
  seen.problems = problems;
  await browser.close();
  console.log(JSON.stringify(seen));
}

main().catch((error) => {
  console.error(JSON.stringify(seen), error);
  process.exit(1);
});
