/* An example of a plugin: pi by Monte Carlo, a task that is easy to spread over many engines.
 *
 *     gcc -O2 -shared -fPIC -I engine/include -o pi.so examples/pi/pi.c
 *     covey engine --plugin ./pi.so
 *
 * pi(samples, seed) throws `samples` points into the unit square and counts those within the quarter circle. Give every
 * task a seed of its own; then pi is 4 × the sum of the counts / the sum of the samples.
 *
 *     [1000000, 1]  →  {"samples": 1000000, "count": 784429, "estimate": 3.137716}
 */
#include <covey/plugin.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { LONGEST_ARGUMENTS = 127, SAMPLES_BETWEEN_LOOKS = 1 << 16 };

/* SplitMix64, by Sebastiano Vigna (public domain): any seed is a good one. */
static uint64_t next_random(uint64_t* state) {
  uint64_t z = (*state += 0x9e3779b97f4a7c15u);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

static uint64_t count_inside(uint64_t samples, uint64_t* random) {
  uint64_t inside = 0;
  for (uint64_t i = 0; i < samples; ++i) {
    const uint64_t bits = next_random(random);
    const double x = (double)(bits >> 32) / 4294967296.0;
    const double y = (double)(bits & 0xffffffffu) / 4294967296.0;
    inside += x * x + y * y < 1.0;
  }
  return inside;
}

/* Reads [samples, seed], which are two whole numbers and so need no JSON library. */
static int read_arguments(const void* data, size_t size, uint64_t* samples, uint64_t* seed) {
  char text[LONGEST_ARGUMENTS + 1];
  int end = 0;
  if (size > LONGEST_ARGUMENTS) return 0;
  if (size > 0) memcpy(text, data, size);
  text[size] = '\0';
  /* 18 digits always fit into 64 bits; a longer number, a fraction or a sign leaves something that does not match. */
  if (memchr(text, '-', size) != NULL || memchr(text, '+', size) != NULL) return 0;
  if (sscanf(text, " [ %18" SCNu64 " , %18" SCNu64 " ] %n", samples, seed, &end) != 2) return 0;
  return end > 0 && (size_t)end == size;
}

static void pi(covey_ctx* ctx, const void* data, size_t size, int codec, void* state) {
  uint64_t samples = 0, seed = 0, inside = 0;
  char text[128];
  (void)codec; /* JSON is all that it takes */
  (void)state;
  if (!read_arguments(data, size, &samples, &seed) || samples == 0) {
    covey_bad_arguments(ctx, "pi: takes [samples, seed], two whole numbers of up to 18 digits, the first at least 1");
    return;
  }
  for (uint64_t done = 0; done < samples; done += SAMPLES_BETWEEN_LOOKS) {
    const uint64_t left = samples - done;
    if (covey_cancelled(ctx)) return;
    inside += count_inside(left < SAMPLES_BETWEEN_LOOKS ? left : SAMPLES_BETWEEN_LOOKS, &seed);
  }
  snprintf(text, sizeof text, "{\"samples\": %" PRIu64 ", \"count\": %" PRIu64 ", \"estimate\": %.10g}", samples,
           inside, 4.0 * (double)inside / (double)samples);
  covey_result(ctx, COVEY_JSON, text, strlen(text));
}

COVEY_PLUGIN(registry) {
  covey_function function = COVEY_FUNCTION("pi", pi);
  function.description = "estimates pi by throwing points into a square";
  function.arguments = "samples: integer, seed: integer";
  return covey_add(registry, &function);
}
