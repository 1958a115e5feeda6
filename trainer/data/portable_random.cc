// SPDX-License-Identifier: Apache-2.0
// Compiled with -ffp-contract=off: a fused multiply-add would round differently.
#include "trainer/data/portable_random.h"

#include <cmath>

#include "common/base/random_source.h"

namespace entente::trainer {
namespace {

constexpr double kLn2 = 0.693147180559945309417232121458;

}  // namespace

double PortableLog(double x) {
  int exponent = 0;
  double mantissa = std::frexp(x, &exponent);  // Exact, in [0.5, 1).
  if (mantissa < 0.70710678118654752) {
    mantissa *= 2;
    --exponent;
  }
  // ln m = 2 artanh((m - 1) / (m + 1)), and |t| < 0.172, so 13 terms pass double's precision.
  const double t = (mantissa - 1) / (mantissa + 1);
  const double t_squared = t * t;
  double sum = 0;
  for (int power = 25; power >= 1; power -= 2) sum = sum * t_squared + 1.0 / power;
  return 2 * t * sum + exponent * kLn2;
}

double PortableExp(double x) {
  if (x < -745) return 0;
  const double halvings = std::floor(x / kLn2 + 0.5);
  const double rest = x - halvings * kLn2;  // Within 0.347, so 18 terms pass double's precision.
  double sum = 1;
  for (int term = 18; term >= 1; --term) sum = 1 + rest / term * sum;
  return std::ldexp(sum, static_cast<int>(halvings));
}

uint64_t PortableRandom::Next() {
  const uint64_t bits = SplitMix64(state_);
  state_ += 0x9e3779b97f4a7c15U;  // SplitMix64's own increment.
  return bits;
}

uint64_t PortableRandom::Below(uint64_t bound) {
  // Numbers under 2^64 mod bound would make the small results likelier.
  const uint64_t smallest_fair = (0 - bound) % bound;
  uint64_t bits = Next();
  while (bits < smallest_fair) bits = Next();
  return bits % bound;
}

double PortableRandom::Unit() { return (static_cast<double>(Next() >> 12) + 0.5) * 0x1p-52; }

double PortableRandom::Normal() {
  // Marsaglia's polar method: of elementary functions it needs log and sqrt only, and IEEE 754
  // rounds sqrt exactly.
  while (true) {
    const double u = 2 * Unit() - 1;
    const double v = 2 * Unit() - 1;
    const double s = u * u + v * v;
    if (s < 1 && s > 0) return u * std::sqrt(-2 * PortableLog(s) / s);
  }
}

double PortableRandom::Gamma(double shape) {
  if (shape < 1) {  // Marsaglia and Tsang 2000, section 6: Gamma(a) = Gamma(a + 1) U^(1/a).
    const double larger = Gamma(shape + 1);
    return larger * PortableExp(PortableLog(Unit()) / shape);
  }
  // Marsaglia and Tsang 2000, "A simple method for generating gamma variables", section 2.
  const double d = shape - 1.0 / 3;
  const double c = 1 / std::sqrt(9 * d);
  while (true) {
    const double x = Normal();
    const double root = 1 + c * x;
    if (root <= 0) continue;
    const double v = root * root * root;
    if (PortableLog(Unit()) < 0.5 * x * x + d - d * v + d * PortableLog(v)) return d * v;
  }
}

std::vector<double> PortableRandom::Dirichlet(double alpha, size_t count) {
  std::vector<double> shares(count);
  double sum = 0;
  while (sum <= 0) {  // All may underflow when alpha is tiny.
    sum = 0;
    for (double& share : shares) {
      share = Gamma(alpha);
      sum += share;
    }
  }
  for (double& share : shares) share /= sum;
  return shares;
}

}  // namespace entente::trainer
