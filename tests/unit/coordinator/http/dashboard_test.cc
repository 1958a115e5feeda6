// SPDX-License-Identifier: Apache-2.0
#include "coordinator/http/dashboard.h"

#include <gmock/gmock.h>

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "coordinator/http/journal_line.h"
#include "coordinator/http/pages.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/coordinator/http/http_fixture.h"

namespace entente::dashboard {
namespace {

using http::Viewer;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

class DashboardTest : public DashboardFixture {
 protected:
  DashboardTest() {
    feed_ = EventFeed::Create({.sources = Sources(),
                               .steady_clock = &steady_clock_,
                               .pauses = pauses_.get(),
                               .executor = executor_.get()});
    routes_ = DashboardRoutes({.sources = Sources(), .feed = feed_, .models = models_.get()});
  }

  // As the server finds it: an exact path, else the longest prefix.
  const http::Route* RouteOf(const std::string& path) const {
    const http::Route* best = nullptr;
    for (const http::Route& route : routes_) {
      if (!route.is_prefix && route.path == path) return &route;
      if (route.is_prefix && path.starts_with(route.path) &&
          (best == nullptr || route.path.size() > best->path.size())) {
        best = &route;
      }
    }
    return best;
  }

  http::Response Get(const std::string& path,
                     const std::multimap<std::string, std::string>& query = {}) const {
    const http::Route* const route = RouteOf(path);
    if (route == nullptr) return http::TextResponse(404, "");
    return route->answer(
        {.method = "GET", .path = path, .query = query, .viewer = {Viewer::Kind::kOperator}});
  }
  Json Read(const std::string& path,
            const std::multimap<std::string, std::string>& query = {}) const {
    return Json::parse(Get(path, query).body);
  }

  std::shared_ptr<EventFeed> feed_;
  std::vector<http::Route> routes_;
};

// The table of docs/operations.md.
TEST_F(DashboardTest, PagesAndTheSummaryAreForEverybodyAndNewsForMembers) {
  for (const char* path :
       {"/", "/jobs", "/jobs/x", "/jobs/x/rounds/1", "/events", "/assets/a/b", "/api/summary"}) {
    ASSERT_NE(RouteOf(path), nullptr) << path;
    EXPECT_EQ(RouteOf(path)->visible_to, Viewer::Kind::kPublic) << path;
  }
  for (const char* path : {"/api/federation", "/api/jobs", "/api/jobs/x", "/api/jobs/x/history",
                           "/api/jobs/x/rounds/1", "/api/jobs/x/recipe.yaml", "/api/events",
                           "/api/stream", "/api/models/x.safetensors"}) {
    ASSERT_NE(RouteOf(path), nullptr) << path;
    EXPECT_EQ(RouteOf(path)->visible_to, Viewer::Kind::kMember) << path;
  }
}

TEST_F(DashboardTest, PagesThatEverybodySeesNameNobody) {
  const auto job = EndedJob();

  for (const std::string& path :
       {std::string("/"), absl::StrCat("/jobs/", job->description().id.value()),
        std::string("/api/summary")}) {
    const std::string body = Get(path).body;
    EXPECT_THAT(body, ::testing::Not(HasSubstr("fr-lab"))) << path;
    EXPECT_THAT(body, ::testing::Not(HasSubstr(job->description().id.value()))) << path;
  }
}

TEST_F(DashboardTest, StatesComeWithThePositionToFollowFrom) {
  const auto job = EndedJob();
  const std::string id = job->description().id.value();

  for (const std::string& path :
       {std::string("/api/federation"), std::string("/api/jobs"), absl::StrCat("/api/jobs/", id),
        absl::StrCat("/api/jobs/", id, "/rounds/1"), std::string("/api/events")}) {
    EXPECT_EQ(Get(path).status, 200) << path;
    EXPECT_THAT(Read(path)["position"].get<std::string>(), HasSubstr("-")) << path;
  }
  EXPECT_EQ(Read(absl::StrCat("/api/jobs/", id, "/history"))["rows"].size(), 1U);
}

TEST_F(DashboardTest, OddJobIdsAreNotFoundAndNotRepeated) {
  for (const std::string& id : {std::string("<script>alert(1)</script>"), std::string(".."),
                                std::string("a b"), std::string("a\"b"), std::string("\xff\xfe"),
                                std::string(500, 'a'), std::string(1, '\0')}) {
    const http::Response response = Get("/api/jobs/" + id);

    EXPECT_EQ(response.status, 404) << id;
    EXPECT_TRUE(Json::parse(response.body).contains("error")) << id;
    EXPECT_THAT(response.body, ::testing::Not(HasSubstr("<script>")));
  }
  EXPECT_THAT(Read("/api/jobs/none-abc234")["error"].get<std::string>(),
              HasSubstr("there is no job \"none-abc234\""));
}

TEST_F(DashboardTest, UnknownAddressesSayWhereToBegin) {
  const auto job = EndedJob();
  const std::string id = job->description().id.value();

  EXPECT_EQ(Get("/nothing").status, 404);
  EXPECT_EQ(Get("/jobs/a/b/c/d").status, 404);
  for (const std::string& path :
       {"/api/jobs/" + id + "/nothing", "/api/jobs/" + id + "/rounds/1/x", "/api/jobs/" + id + "/",
        std::string("/assets/old/dashboard.js"), std::string("/assets/../index.html"),
        std::string("/api/models/x")}) {
    EXPECT_EQ(Get(path).status, 404) << path;
    EXPECT_THAT(Get(path).body, HasSubstr("begin at /")) << path;
  }
}

TEST_F(DashboardTest, NumbersThatAreNoneAreRefused) {
  const auto job = EndedJob();
  const std::string path = "/api/jobs/" + job->description().id.value();

  for (const char* round : {"0", "-1", "x", "1e3", "99999999999"}) {
    EXPECT_EQ(Get(path + "/rounds/" + round).status, 400) << round;
  }
  EXPECT_EQ(Get(path + "/rounds/1", {{"attempt", "x"}}).status, 400);
  EXPECT_EQ(Get(path + "/rounds/2").status, 404);
  EXPECT_EQ(Get("/api/events", {{"before", "x"}}).status, 400);
  EXPECT_EQ(Get("/api/events", {{"job", "<b>"}}).status, 404);
  EXPECT_EQ(Get(path + "/history", {{"members", "a,b,c,d,e,f,g,h,i,j,k,l,m"}}).status, 400);
}

TEST_F(DashboardTest, EventThatThereIsNotIsRefusedWithThoseThatThereAre) {
  EXPECT_EQ(Get("/api/events", {{"event", "nonsense"}}).status, 400);
  EXPECT_THAT(Read("/api/events", {{"event", "nonsense"}})["error"].get<std::string>(),
              AllOf(StartsWith("`event` must be one of: submitted, "), HasSubstr(", opened, "),
                    HasSubstr(", job paused, "), Not(HasSubstr("nonsense"))));
  for (const absl::string_view event : EventNames()) {
    EXPECT_EQ(Get("/api/events", {{"event", std::string(event)}}).status, 200) << event;
  }
}

TEST_F(DashboardTest, StreamsNeedAPage) {
  EXPECT_EQ(Get("/api/stream", {{"page", "secrets"}}).status, 400);
  EXPECT_EQ(Get("/api/stream", {{"page", "job"}, {"job", "none"}}).status, 404);
  EXPECT_NE(Get("/api/stream", {{"page", "events"}}).events, nullptr);
}

TEST_F(DashboardTest, AssetsHaveTheirVersionInTheirAddress) {
  const http::Response response = Get(absl::StrCat("/assets/", PagesVersion(), "/style.css"));

  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.content_type, "text/css; charset=utf-8");
  EXPECT_TRUE(response.may_be_kept);
}

TEST_F(DashboardTest, RecipeAndModelAreDownloads) {
  const auto job = EndedJob();
  const std::string digest = job->View().state->model.ToHex();

  const http::Response recipe = Get("/api/jobs/" + job->description().id.value() + "/recipe.yaml");
  const http::Response model = Get("/api/models/" + digest + ".safetensors");

  EXPECT_THAT(recipe.body, HasSubstr("kind: Recipe"));
  EXPECT_EQ(model.status, 200);
  EXPECT_EQ(Sha256Of(model.body).ToHex(), digest);
  EXPECT_EQ(Get("/api/models/" + std::string(64, '0') + ".safetensors").status, 404);
  EXPECT_EQ(Get("/api/models/short.safetensors").status, 400);
}

TEST_F(DashboardTest, JobSaysHowLargeItsNewestModelIs) {
  const auto job = EndedJob();
  const std::string digest = job->View().state->model.ToHex();

  const Json json = Read("/api/jobs/" + job->description().id.value())["job"];

  EXPECT_EQ(json["modelDigest"], digest);
  EXPECT_EQ(json["modelBytes"], Get("/api/models/" + digest + ".safetensors").body.size());
  EXPECT_EQ(json["modelBytesMax"], 32U << 20);
}

TEST_F(DashboardTest, ModelThatIsTooLargeForABrowserIsRefusedWithTheCommandThatFetchesIt) {
  const Digest digest = Sha256Of("a large model");
  const std::string path = "/api/models/" + digest.ToHex() + ".safetensors";
  ASSERT_OK_AND_ASSIGN(const auto file, files_.OpenForWrite(models_->PathOf(digest)));
  ASSERT_THAT(file->Truncate(uint64_t{32} << 20), IsOk());
  EXPECT_EQ(Get(path).status, 200);

  ASSERT_THAT(file->Truncate((uint64_t{32} << 20) + 1), IsOk());
  const http::Response response = Get(path);

  EXPECT_EQ(response.status, 413);
  EXPECT_THAT(Json::parse(response.body)["error"].get<std::string>(),
              HasSubstr("a browser is given 33.6 MB at most; use: entente model pull " +
                        digest.ToHex() + " --output model.safetensors"));
}

}  // namespace
}  // namespace entente::dashboard
