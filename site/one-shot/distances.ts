/** ‖q − a‖² of each row of q with each of a, `[queries · anchors]`; rows have so many numbers. */
export function squaredDistances(q: Float32Array, a: Float32Array, size: number): number[] {
  const found: number[] = [];
  for (let i = 0; i < q.length; i += size) {
    for (let j = 0; j < a.length; j += size) {
      let sum = 0;
      for (let k = 0; k < size; k++) sum += (q[i + k] - a[j + k]) ** 2;
      found.push(sum);
    }
  }
  return found;
}
