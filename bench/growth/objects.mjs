// @ts-check
// What a walk over objects costs by itself: as many as a graph has nodes, of a node's size and with its
// links, made, listed, copied to steps and copied again by nothing but loops. Prints nanoseconds an
// object of the processor's time in graphs of 206 and of 12,500, as many as have 12,500 together, and
// how many times as long the large one takes: node bench/growth/objects.mjs
const SIZES = [206, 12_500];
const ROUNDS = 81;

/** @typedef {{ id: number, place: number, inputs: Bare[], attributes: object }} Bare */

/** @param {number} id @param {Bare[]} inputs @returns {Bare} */
function bare(id, inputs) {
  const none = { host: null, owner: null, vjp: null, lineage: null, retired: null, charge: null };
  const known = { device: SIZES, shape: SIZES, dtype: "f32", op: SIZES, result: 0, tracked: true };
  return { id, place: -1, inputs, attributes: { shape: [16, 16] }, ...none, ...known };
}

/** Makes so many, each of two of the last 64, and one that leads to all. @param {number} count */
function made(count) {
  /** @type {Bare[]} */
  const last = [];
  for (let i = 0; i < count; i++) {
    const inputs = i < 64 ? [] : [last[i % 64], last[(7 * i + 3) % 64]];
    last[i % 64] = bare(i, inputs);
  }
  return bare(count, last);
}

/** Lists them, inputs first. @param {Bare} root */
function listed(root) {
  const order = [];
  const stack = [root];
  for (let one = stack.at(-1); one; one = stack.at(-1)) {
    if (one.place === -1) {
      one.place = -2;
      for (const input of one.inputs) if (input.place === -1) stack.push(input);
    } else {
      if (one.place === -2) one.place = order.push(one) - 1;
      stack.pop();
    }
  }
  return order;
}

/** @param {number} count */
function round(count) {
  const taken = [0, 0, 0, 0];
  for (let done = 0; done < 12_500; done += count) {
    let from = process.cpuUsage();
    const lap = (/** @type {number} */ phase) => {
      const { user, system } = process.cpuUsage(from);
      taken[phase] += user + system;
      from = process.cpuUsage();
    };
    const root = made(count);
    lap(0);
    const order = listed(root);
    lap(1);
    const steps = order.map(({ attributes, inputs }) => {
      return { attributes, inputs: inputs.map(({ place }) => place), shape: SIZES, result: 0 };
    });
    lap(2);
    const again = steps.map((step) => ({ ...step, inputs: step.inputs.map((i) => i + 1) }));
    lap(3);
    if (again.length === 0) throw new Error("none");
  }
  return taken.map((time) => time / 12.5);
}

for (let i = 0; i < 8; i++) SIZES.forEach(round);
const sums = SIZES.map(() => [0, 0, 0, 0]);
for (let i = 0; i < ROUNDS; i++) {
  SIZES.forEach((count, which) => {
    round(count).forEach((time, phase) => {
      sums[which][phase] += time / ROUNDS;
    });
  });
}
const rows = [...sums, sums[0].map((small, phase) => sums[1][phase] / small)];
const names = ["made", "listed", "to steps", "copied"];
console.log(["", ...SIZES, "times"].join("\t"));
for (const [phase, name] of names.entries()) {
  console.log([name, ...rows.map((row) => row[phase].toFixed(1))].join("\t"));
}
const all = sums.map((row) => row.reduce((a, b) => a + b));
console.log(["all", ...all.map((n) => n.toFixed(1)), (all[1] / all[0]).toFixed(2)].join("\t"));
