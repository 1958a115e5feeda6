// SPDX-License-Identifier: Apache-2.0
#include "coordinator/http/dashboard.h"

#include <algorithm>
#include <functional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "common/base/status_macros.h"
#include "common/config/proto_to_json.h"
#include "coordinator/http/pages.h"
#include "coordinator/http/round_view.h"

namespace entente::dashboard {
namespace {

using http::Request;
using http::Response;
using http::Viewer;

constexpr size_t kIdBytesMax = 128;
// Answers are made in memory.
constexpr uint64_t kModelBytesMax = uint64_t{32} << 20;

int HttpStatusOf(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kInvalidArgument:
      return 400;
    case absl::StatusCode::kNotFound:
      return 404;
    case absl::StatusCode::kResourceExhausted:
      return 413;
    case absl::StatusCode::kUnavailable:
      return 503;
    default:
      return 500;
  }
}

Response JsonResponse(int status, const Json& json) {
  return {.status = status,
          .content_type = "application/json",
          .body = json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n"};
}

Response ErrorResponse(const absl::Status& status) {
  return JsonResponse(HttpStatusOf(status), {{"error", std::string(status.message())}});
}

Response ToResponse(const absl::StatusOr<Json>& json) {
  return json.ok() ? JsonResponse(200, *json) : ErrorResponse(json.status());
}

Response DocumentResponse(int status) {
  return {.status = status, .content_type = "text/html; charset=utf-8", .body = DocumentText()};
}

absl::Status NoSuchAddress() {
  return absl::NotFoundError("there is nothing at this address; begin at /");
}

// Ids are made of these; anything else is not even looked up, nor repeated.
bool IsPlainId(absl::string_view id) {
  return !id.empty() && id.size() <= kIdBytesMax &&
         std::all_of(id.begin(), id.end(), [](unsigned char c) {
           return absl::ascii_isalnum(c) || c == '-' || c == '_' || c == '.';
         });
}

absl::StatusOr<std::shared_ptr<engine::JobEngine>> FindJob(const DashboardParts& parts,
                                                           absl::string_view id) {
  if (!IsPlainId(id)) {
    return absl::NotFoundError(
        "there is no such job: an id is made of letters, digits, '-', '_' "
        "and '.'; /jobs shows the jobs there are");
  }
  return parts.sources.jobs->Find(JobId(std::string(id)));
}

// `number` counts from 1.
absl::StatusOr<uint32_t> ParseCount(absl::string_view what, absl::string_view number) {
  uint32_t value = 0;
  if (!absl::SimpleAtoi(number, &value) || value == 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("the ", what, " must be a number from 1 to 4294967295"));
  }
  return value;
}

Response RecipeResponse(const engine::JobEngine& job) {
  Response response{.content_type = "text/yaml; charset=utf-8",
                    .body = ProtoToYaml(job.description().recipe)};
  // The id has nothing in it that a header could not carry: it was found.
  response.headers.emplace_back(
      "Content-Disposition",
      absl::StrCat("attachment; filename=\"", job.description().id.value(), ".yaml\""));
  return response;
}

// What the page has to know before it offers the newest model to a browser.
void AddModelSize(const DashboardParts& parts, Json* job) {
  (*job)["modelBytesMax"] = kModelBytesMax;
  const auto digest = Digest::FromHex(job->value("modelDigest", std::string()));
  if (!digest.ok()) return;
  const auto file = parts.models->OpenForRead(*digest);
  if (file.ok()) (*job)["modelBytes"] = (*file)->size_bytes();
}

// "ID", "ID/history", "ID/rounds/N", "ID/recipe.yaml".
Response AnswerOfJob(const DashboardParts& parts, const Request& request, absl::string_view rest) {
  const std::vector<absl::string_view> words = absl::StrSplit(rest, '/');
  const auto job = FindJob(parts, words[0]);
  if (!job.ok()) return ErrorResponse(job.status());
  if (words.size() == 1) {
    const std::string position = parts.feed->Position();
    auto json = JobJson(parts.sources, **job);
    if (!json.ok()) return ErrorResponse(json.status());
    AddModelSize(parts, &(*json)["job"]);
    (*json)["position"] = position;
    return JsonResponse(200, *json);
  }
  if (words.size() == 2 && words[1] == "history") {
    const std::vector<std::string> members =
        absl::StrSplit(request.QueryValue("members"), ',', absl::SkipEmpty());
    if (members.size() > kMembersAtOnce) {
      return ErrorResponse(absl::InvalidArgumentError(
          absl::StrCat("at most ", kMembersAtOnce, " members can be asked for at once")));
    }
    return JsonResponse(200, HistoryJson((*job)->History(), members));
  }
  if (words.size() == 2 && words[1] == "recipe.yaml") return RecipeResponse(**job);
  if (words.size() == 3 && words[1] == "rounds") {
    const auto round = ParseCount("round", words[2]);
    if (!round.ok()) return ErrorResponse(round.status());
    uint32_t attempt = 0;
    if (const std::string text = request.QueryValue("attempt"); !text.empty()) {
      const auto parsed = ParseCount("attempt", text);
      if (!parsed.ok()) return ErrorResponse(parsed.status());
      attempt = *parsed;
    }
    const std::string position = parts.feed->Position();
    auto json = RoundJson(parts.sources, **job, *round - 1, attempt);
    if (json.ok()) (*json)["position"] = position;
    return ToResponse(json);
  }
  return ErrorResponse(NoSuchAddress());
}

// Empty: any event.
absl::Status CheckEvent(absl::string_view event) {
  const std::vector<absl::string_view> names = EventNames();
  const bool is_known = std::find(names.begin(), names.end(), event) != names.end();
  if (event.empty() || is_known) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("`event` must be one of: ", absl::StrJoin(names, ", ")));
}

absl::StatusOr<Json> EventLines(const DashboardParts& parts, const Request& request) {
  const std::string job = request.QueryValue("job");
  if (!job.empty()) ENTENTE_RETURN_IF_ERROR(FindJob(parts, job).status());
  uint64_t before = 0;
  if (const std::string text = request.QueryValue("before");
      !text.empty() && !absl::SimpleAtoi(text, &before)) {
    return absl::InvalidArgumentError("`before` must be the `next` of an earlier answer");
  }
  const std::string event = request.QueryValue("event");
  ENTENTE_RETURN_IF_ERROR(CheckEvent(event));
  const std::string position = parts.feed->Position();
  ENTENTE_ASSIGN_OR_RETURN(Json json, LinesJson(parts.sources, JobId(job),
                                                {.event = event,
                                                 .worker = request.QueryValue("worker"),
                                                 .text = request.QueryValue("text"),
                                                 .bad_only = request.QueryValue("bad") == "1"},
                                                before));
  json["position"] = position;
  return json;
}

absl::StatusOr<std::string> ModelBytes(const DashboardParts& parts, absl::string_view name) {
  if (!absl::ConsumeSuffix(&name, ".safetensors")) return NoSuchAddress();
  ENTENTE_ASSIGN_OR_RETURN(const Digest digest, Digest::FromHex(name));
  ENTENTE_ASSIGN_OR_RETURN(const auto file, parts.models->OpenForRead(digest));
  if (file->size_bytes() > kModelBytesMax) {
    return absl::ResourceExhaustedError(
        absl::StrCat("this model has ", BytesText(file->size_bytes()), ", and a browser is given ",
                     BytesText(kModelBytesMax), " at most; use: entente model pull ",
                     digest.ToHex(), " --output model.safetensors"));
  }
  std::string bytes(file->size_bytes(), '\0');
  ENTENTE_RETURN_IF_ERROR(file->ReadAt(0, absl::MakeSpan(bytes)));
  return bytes;
}

Response ModelResponse(const DashboardParts& parts, absl::string_view name) {
  auto bytes = ModelBytes(parts, name);
  if (!bytes.ok()) return ErrorResponse(bytes.status());
  Response response{.content_type = "application/octet-stream", .body = *std::move(bytes)};
  response.headers.emplace_back(
      "Content-Disposition",
      absl::StrCat("attachment; filename=\"", name.substr(0, 12), ".safetensors\""));
  return response;
}

absl::StatusOr<FeedTopic> TopicOf(const DashboardParts& parts, const Request& request) {
  const std::string page = request.QueryValue("page");
  if (page == "federation") return FeedTopic{.page = FeedTopic::Page::kFederation};
  if (page == "jobs") return FeedTopic{.page = FeedTopic::Page::kJobs};
  if (page == "events") return FeedTopic{.page = FeedTopic::Page::kEvents};
  if (page != "job") {
    return absl::InvalidArgumentError("`page` must be federation, jobs, job or events");
  }
  ENTENTE_ASSIGN_OR_RETURN(const auto job, FindJob(parts, request.QueryValue("job")));
  return FeedTopic{.page = FeedTopic::Page::kJob, .job = job->description().id};
}

Response StreamResponse(const DashboardParts& parts, const Request& request) {
  const auto topic = TopicOf(parts, request);
  if (!topic.ok()) return ErrorResponse(topic.status());
  // A browser that connects again by itself says what it heard last.
  const std::string heard = request.Header("last-event-id");
  const std::string position = heard.empty() ? request.QueryValue("since") : heard;
  Response response;
  response.events = [feed = parts.feed, topic = *topic,
                     position](std::shared_ptr<http::EventStream> stream) {
    feed->Subscribe(topic, position, std::move(stream));
  };
  return response;
}

Response AssetResponse(const Request& request) {
  // "/assets/VERSION/NAME"; one of another version is from a page that is older than the program.
  const std::vector<absl::string_view> words = absl::StrSplit(request.path, '/');
  const EmbeddedFile* const file = words.size() == 4 ? FindFile(words[3]) : nullptr;
  if (file == nullptr || words[2] != PagesVersion()) return ErrorResponse(NoSuchAddress());
  return {.content_type = std::string(ContentTypeOf(file->name)),
          .body = std::string(file->content),
          .may_be_kept = true};
}

http::Route Exact(std::string path, Viewer::Kind visible_to,
                  std::function<Response(const Request&)> answer) {
  return {.path = std::move(path), .visible_to = visible_to, .answer = std::move(answer)};
}

http::Route Below(std::string path, Viewer::Kind visible_to,
                  std::function<Response(const Request&)> answer) {
  return {.path = std::move(path),
          .is_prefix = true,
          .visible_to = visible_to,
          .answer = std::move(answer)};
}

// "/jobs/ID" and "/jobs/ID/rounds/N" are pages whatever the id: whether there is such a job is not
// for everybody to know.
Response JobDocumentResponse(const Request& request) {
  const std::vector<absl::string_view> words = absl::StrSplit(request.path, '/');
  const bool is_page = words.size() == 3 || (words.size() == 5 && words[3] == "rounds");
  return DocumentResponse(is_page ? 200 : 404);
}

void AddPages(std::vector<http::Route>* routes) {
  const auto document = [](const Request&) { return DocumentResponse(200); };
  for (const char* path : {"/", "/jobs", "/events"}) {
    routes->push_back(Exact(path, Viewer::Kind::kPublic, document));
  }
  routes->push_back(Below("/jobs/", Viewer::Kind::kPublic, JobDocumentResponse));
  routes->push_back(Below("/assets/", Viewer::Kind::kPublic, AssetResponse));
}

}  // namespace

std::vector<http::Route> DashboardRoutes(const DashboardParts& parts) {
  std::vector<http::Route> routes;
  AddPages(&routes);
  routes.push_back(Exact("/api/summary", Viewer::Kind::kPublic, [parts](const Request& request) {
    Json json = SummaryJson(parts.sources);
    json["viewer"] = std::string(http::ViewerKindName(request.viewer.kind));
    if (request.viewer.kind != Viewer::Kind::kPublic) json["version"] = parts.sources.version;
    return JsonResponse(200, json);
  }));
  // A state's position is taken before the state: what happens in between is told again.
  const auto with_position = [parts](const std::function<Json()>& read) {
    const std::string position = parts.feed->Position();
    Json json = read();
    json["position"] = position;
    return JsonResponse(200, json);
  };
  routes.push_back(Exact("/api/federation", Viewer::Kind::kMember, [=](const Request&) {
    return with_position([&] { return FederationJson(parts.sources); });
  }));
  routes.push_back(Exact("/api/jobs", Viewer::Kind::kMember, [=](const Request&) {
    return with_position([&] { return JobsJson(parts.sources); });
  }));
  routes.push_back(Below("/api/jobs/", Viewer::Kind::kMember, [parts](const Request& request) {
    return AnswerOfJob(parts, request, absl::StripPrefix(request.path, "/api/jobs/"));
  }));
  routes.push_back(Exact("/api/events", Viewer::Kind::kMember, [parts](const Request& request) {
    return ToResponse(EventLines(parts, request));
  }));
  routes.push_back(Below("/api/models/", Viewer::Kind::kMember, [parts](const Request& request) {
    return ModelResponse(parts, absl::StripPrefix(request.path, "/api/models/"));
  }));
  routes.push_back(Exact("/api/stream", Viewer::Kind::kMember, [parts](const Request& request) {
    return StreamResponse(parts, request);
  }));
  return routes;
}

}  // namespace entente::dashboard
