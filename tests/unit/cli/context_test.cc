// SPDX-License-Identifier: Apache-2.0
#include "cli/context.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/status_matchers.h"
#include "tests/support/temp_folder.h"

namespace entente::cli {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr char kContexts[] =
    "apiVersion: entente/v1\n"
    "kind: Contexts\n"
    "currentContext: alliance\n"
    "contexts:\n"
    "  - name: alliance\n"
    "    coordinator: alliance.example:7443\n"
    "    tls:\n"
    "      certificate: me.crt\n"
    "      privateKey: /keys/me.key\n"
    "      authority: authority.crt\n"
    "  - name: rehearsal\n"
    "    coordinator: localhost:7443\n";

class ContextTest : public ::testing::Test {
 protected:
  ContextTest() { environment_.home = folder_.path(); }

  std::string WriteContexts(const std::string& text = kContexts) {
    return folder_.Write(".config/entente/config.yaml", text);
  }

  TempFolder folder_;
  PosixFileSystem files_;
  Environment environment_;
};

TEST_F(ContextTest, FileIsWhereTheEnvironmentSays) {
  Environment environment;
  environment.home = "/h";
  EXPECT_EQ(DefaultContextsPath(environment), "/h/.config/entente/config.yaml");
  environment.xdg_config_home = "/x";
  EXPECT_EQ(DefaultContextsPath(environment), "/x/entente/config.yaml");
  environment.entente_config = "/e.yaml";
  EXPECT_EQ(DefaultContextsPath(environment), "/e.yaml");
}

TEST_F(ContextTest, CurrentContextIsUsedWithPathsBesideTheFile) {
  WriteContexts();

  ASSERT_OK_AND_ASSIGN(const ConnectionTarget target, ResolveTarget(files_, environment_, {}));

  EXPECT_EQ(target.context, "alliance");
  EXPECT_EQ(target.coordinator, "alliance.example:7443");
  EXPECT_EQ(target.tls.certificate, folder_.File(".config/entente/me.crt"));
  EXPECT_EQ(target.tls.private_key, "/keys/me.key");
}

TEST_F(ContextTest, OptionsWinOverTheContext) {
  WriteContexts();
  ConnectionOptions options;
  options.coordinator = "other:1";

  ASSERT_OK_AND_ASSIGN(const ConnectionTarget target, ResolveTarget(files_, environment_, options));

  EXPECT_EQ(target.coordinator, "other:1");
  EXPECT_EQ(target.tls.private_key, "/keys/me.key");
}

TEST_F(ContextTest, CompleteOptionsNeedNoFile) {
  WriteContexts("broken: [");
  ConnectionOptions options;
  options.coordinator = "other:1";
  options.certificate = "c";
  options.private_key = "k";
  options.authority = "a";

  EXPECT_THAT(ResolveTarget(files_, environment_, options), IsOk());
}

TEST_F(ContextTest, NothingNamedIsAnErrorThatSaysWhatToDo) {
  EXPECT_THAT(ResolveTarget(files_, environment_, {}),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       AllOf(HasSubstr("no coordinator is named"), HasSubstr("--coordinator"))));
}

TEST_F(ContextTest, MissingTlsFilesAreNamed) {
  WriteContexts();
  ConnectionOptions options;
  options.context = "rehearsal";

  EXPECT_THAT(ResolveTarget(files_, environment_, options),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("without --certificate, --private-key, --authority")));
}

TEST_F(ContextTest, UnknownContextIsNotFoundWithTheNearest) {
  WriteContexts();
  ConnectionOptions options;
  options.context = "rehersal";

  EXPECT_THAT(ResolveTarget(files_, environment_, options),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("did you mean \"rehearsal\"?")));
}

TEST_F(ContextTest, MisspeltKeyIsRefusedWithItsPlace) {
  const std::string path = WriteContexts("apiVersion: entente/v1\nkind: Contexts\ncontxts: []\n");

  EXPECT_THAT(LoadContexts(files_, path),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       AllOf(HasSubstr(path + ":3:1"), HasSubstr("contexts"))));
}

TEST_F(ContextTest, ContextWithoutCoordinatorIsRefused) {
  const std::string path =
      WriteContexts("apiVersion: entente/v1\nkind: Contexts\ncontexts:\n  - name: empty\n");

  EXPECT_THAT(LoadContexts(files_, path),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("context \"empty\" has no coordinator")));
}

TEST_F(ContextTest, NameThatIsThereTwiceIsRefused) {
  const std::string path = WriteContexts(
      "apiVersion: entente/v1\nkind: Contexts\ncontexts:\n"
      "  - {name: a, coordinator: \"x:1\"}\n  - {name: a, coordinator: \"y:1\"}\n");

  EXPECT_THAT(LoadContexts(files_, path),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("\"a\" is there twice")));
}

TEST_F(ContextTest, OtherKindOfFileIsRefused) {
  const std::string path = WriteContexts("apiVersion: entente/v1\nkind: Recipe\n");

  EXPECT_THAT(LoadContexts(files_, path),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("Contexts")));
}

TEST_F(ContextTest, MissingFileHasNoContexts) {
  ASSERT_OK_AND_ASSIGN(const config::v1::Contexts contexts,
                       LoadContexts(files_, folder_.File("missing.yaml")));

  EXPECT_EQ(contexts.contexts_size(), 0);
}

TEST_F(ContextTest, SavedContextsReadBack) {
  ASSERT_OK_AND_ASSIGN(const config::v1::Contexts contexts, LoadContexts(files_, WriteContexts()));
  const std::string path = folder_.File("new/folder/config.yaml");

  ASSERT_THAT(SaveContexts(files_, path, contexts), IsOk());

  ASSERT_OK_AND_ASSIGN(const config::v1::Contexts again, LoadContexts(files_, path));
  EXPECT_EQ(again.DebugString(), contexts.DebugString());
}

}  // namespace
}  // namespace entente::cli
