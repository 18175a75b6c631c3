// Series as the model wants them: padding cut, gaps filled, one length. The twin of headstart/modalities/series.py.

/** numpy.interp: values at `x` of the line through (at, values); beyond the ends the nearest value. */
export function interpolated(x, at, values) {
  const last = at.length - 1;
  if (x <= at[0]) return values[0];
  if (x >= at[last]) return values[last];
  let low = 0;
  let high = last;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (at[middle] <= x) low = middle;
    else high = middle;
  }
  return ((values[low + 1] - values[low]) / (at[low + 1] - at[low])) * (x - at[low]) + values[low];
}

/** Channels of float32; null, text and what is no finite number is missing (NaN). */
export function channelsOf(series) {
  const channels = Array.isArray(series[0]) ? series : [series];
  return channels.map((channel) => Float32Array.from(channel, (value) => (Number.isFinite(value) ? value : NaN)));
}

function end(channels) {
  for (let step = channels[0].length; step > 0; step--) {
    if (channels.some((channel) => Number.isFinite(channel[step - 1]))) return step;
  }
  return 0;
}

function filled(channel) {
  const steps = [];
  channel.forEach((value, step) => Number.isFinite(value) && steps.push(step));
  if (steps.length === channel.length) return channel;
  if (steps.length === 0) return new Float32Array(channel.length);
  const known = steps.map((step) => channel[step]);
  return channel.map((_, step) => interpolated(step, steps, known));
}

function resampled(channel, length) {
  if (channel.length === length) return channel;
  const steps = Array.from(channel, (_, step) => step);
  const width = length > 1 ? (channel.length - 1) / (length - 1) : 0;
  return Float32Array.from({ length }, (_, place) => interpolated(place * width, steps, channel));
}

function joined(channels) {
  const made = new Float32Array(channels.length * channels[0].length);
  channels.forEach((channel, number) => made.set(channel, number * channel.length));
  return made;
}

/** One array of (channels, length); with `gaps` in the spec also where there were values, and how many steps. */
export function prepare(series, spec) {
  const channels = channelsOf(series);
  if (channels.length !== spec.n_channels) {
    throw new Error(`A series has ${channels.length} channels; the model was made for ${spec.n_channels}`);
  }
  if (new Set(channels.map((channel) => channel.length)).size > 1) throw new Error("its channels differ in length");
  if (channels[0].length === 0) throw new Error("it is no list of numbers");
  const cut = channels.map((channel) => channel.slice(0, Math.max(1, end(channels))));
  const values = joined(cut.map((channel) => resampled(filled(channel), spec.length)));
  const shape = [channels.length, spec.length];
  if (!spec.gaps) return [{ data: values, shape }];
  const known = cut.map((channel) => channel.map((value) => (Number.isFinite(value) ? 1 : 0)));
  return [
    { data: values, shape },
    { data: joined(known.map((channel) => resampled(channel, spec.length))), shape },
    { data: Float32Array.of(cut[0].length), shape: [1] },
  ];
}
