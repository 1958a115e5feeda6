// SPDX-License-Identifier: Apache-2.0
#ifndef TRAINER_DATA_PORTABLE_RANDOM_H_
#define TRAINER_DATA_PORTABLE_RANDOM_H_

// Random numbers that are the same for a seed on every machine, compiler and library. The standard
// distributions, and the last bits of std::log and std::exp, are not.

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace entente::trainer {

// Not thread-safe.
class PortableRandom {
 public:
  explicit PortableRandom(uint64_t seed) : state_(seed) {}

  // 64 uniformly distributed bits.
  uint64_t Next();
  // Uniform in [0, bound), without bias. `bound` must be over 0.
  uint64_t Below(uint64_t bound);
  // Uniform in (0, 1).
  double Unit();
  // Gamma distributed with the given shape, over 0, and scale 1.
  double Gamma(double shape);
  // `count` shares that add up to 1, Dirichlet distributed with every concentration `alpha`.
  std::vector<double> Dirichlet(double alpha, size_t count);

  // Every order is equally likely (Fisher and Yates).
  template <typename Element>
  void Shuffle(std::vector<Element>& elements) {
    for (size_t i = elements.size(); i > 1; --i) {
      std::swap(elements[i - 1], elements[static_cast<size_t>(Below(i))]);
    }
  }

 private:
  double Normal();

  uint64_t state_;
};

// Natural logarithm of x > 0 and exponential, good to about 1e-15, made of IEEE 754 operations
// only.
double PortableLog(double x);
double PortableExp(double x);

}  // namespace entente::trainer

#endif  // TRAINER_DATA_PORTABLE_RANDOM_H_
