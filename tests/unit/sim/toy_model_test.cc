// SPDX-License-Identifier: Apache-2.0
#include "sim/toy_model.h"

#include <gtest/gtest.h>

namespace entente::sim {
namespace {

TEST(ToyModelTest, AFileHoldsTheModel) {
  const ToyModel model = ToyModel::Initial(7);

  EXPECT_EQ(ToyModel::FromFile(model.FileBytes()).FileDigest(), model.FileDigest());
  EXPECT_NE(ToyModel::Initial(8).FileDigest(), model.FileDigest());
}

TEST(ToyModelTest, TrainingDependsOnTheModelAndTheSeedAlone) {
  const ToyModel model = ToyModel::Initial(7);

  EXPECT_EQ(model.Train(1).FileDigest(), model.Train(1).FileDigest());
  EXPECT_NE(model.Train(1).FileDigest(), model.Train(2).FileDigest());
  EXPECT_NE(model.Train(1).FileDigest(), ToyModel::Initial(8).Train(1).FileDigest());
}

TEST(ToyModelTest, AllOfTheWeightOnOneUpdateMovesTheModelByIt) {
  const ToyModel model = ToyModel::Initial(7);
  const WorkerId a("lab-1/gpu-1");
  const WorkerId b("lab-2/gpu-1");

  const ToyModel alone = model.After({{a, model.Train(1)}}, {{a, 1.0}});
  const ToyModel both = model.After({{a, model.Train(1)}, {b, model.Train(2)}}, {{a, 1.0}, {b, 0}});

  EXPECT_EQ(alone.FileDigest(), both.FileDigest());
  EXPECT_NE(alone.FileDigest(), model.FileDigest());
}

}  // namespace
}  // namespace entente::sim
