// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/cli/command_fixture.h"

#include <sys/stat.h>

#include <memory>

#include "absl/strings/str_cat.h"
#include "common/base/check.h"
#include "common/tensor/safetensors.h"

namespace entente::cli {

std::string CommandFixture::WriteRecipe(const std::string& more) const {
  return folder_.Write("recipe.yaml", absl::StrCat("apiVersion: entente/v1\n"
                                                   "kind: Recipe\n"
                                                   "name: fashion-mnist\n"
                                                   "purpose: research\n"
                                                   "dataset: fashion-mnist\n"
                                                   "task: classification\n"
                                                   "model:\n"
                                                   "  builtin:\n"
                                                   "    architecture: mlp\n"
                                                   "    inputShape: [4]\n"
                                                   "    outputs: 2\n",
                                                   more));
}

std::string CommandFixture::WriteModel(const std::string& name) {
  const std::string path = folder_.File(name);
  const Layout layout =
      Layout::Create({{.name = "fc.weight", .dtype = Dtype::kF32, .shape = {2, 4}},
                      {.name = "fc.bias", .dtype = Dtype::kF32, .shape = {2}}})
          .value();
  const std::unique_ptr<SafetensorsWriter> writer =
      SafetensorsWriter::Create(files_, path, layout).value();
  for (size_t i = 0; i < layout.tensors().size(); ++i) {
    ENTENTE_CHECK(writer->WriteAt(i, 0, std::string(layout.tensors()[i].Bytes(), '\0')).ok());
  }
  ENTENTE_CHECK(writer->Finish().ok());
  return path;
}

std::string CommandFixture::WriteProgram(const std::string& name, const std::string& script) const {
  const std::string path = folder_.Write(name, absl::StrCat("#!/bin/sh\n", script, "\n"));
  ENTENTE_CHECK(chmod(path.c_str(), 0755) == 0);
  return path;
}

}  // namespace entente::cli
