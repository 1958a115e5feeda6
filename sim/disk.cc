// SPDX-License-Identifier: Apache-2.0
#include "sim/disk.h"

#include <algorithm>
#include <cstring>
#include <set>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace entente::sim {

struct Disk::Node {
  struct Write {
    uint64_t offset = 0;
    std::string data;
    bool is_truncation = false;  // To `offset` bytes.
  };

  bool is_folder = false;
  std::string data;             // As it is read.
  std::string durable;          // As it is on the disk.
  std::vector<Write> unsynced;  // What stands between the two, oldest first.
  // A sync that failed has dropped some: data and durable may differ.
  bool has_lost_writes = false;
  absl::Time modified_at;
};

namespace {

absl::Status Dead() { return absl::UnavailableError("the process is dead"); }

std::string FolderOf(const std::string& path) {
  const size_t slash = path.rfind('/');
  return slash == std::string::npos ? "" : path.substr(0, slash);
}

void WriteInto(std::string* data, uint64_t offset, absl::string_view bytes) {
  if (bytes.empty()) return;
  if (data->size() < offset + bytes.size()) data->resize(offset + bytes.size(), '\0');
  // Not std::copy, for AddressSanitizer moves bytes one by one.
  std::memcpy(data->data() + offset, bytes.data(), bytes.size());
}

void Apply(const Disk::Node::Write& write, std::string* data) {
  if (write.is_truncation) {
    data->resize(write.offset, '\0');
  } else {
    WriteInto(data, write.offset, write.data);
  }
}

// What of an unsynced write reaches the disk when the power goes.
void ApplyTorn(const Disk::Node::Write& write, Chance& chance, std::string* durable) {
  switch (chance.Below(4)) {
    case 0:
      return;
    case 1: {
      const size_t first = chance.Below(write.data.size() + 1);
      const size_t size = chance.Below(write.data.size() - first + 1);
      WriteInto(durable, write.offset + first, absl::string_view(write.data).substr(first, size));
      return;
    }
    default:
      Apply(write, durable);
  }
}

}  // namespace

Disk::Disk(Scheduler* scheduler) : scheduler_(*scheduler) {}
Disk::~Disk() = default;

bool Disk::Fails(double probability) {
  const bool fails = scheduler_.chance().Happens(probability);
  failures_ += fails ? 1 : 0;
  return fails;
}

void Disk::Add(const std::string& path, std::shared_ptr<Node> node) {
  names_[path] = node;
  unsynced_names_.push_back(
      {.folder = FolderOf(path), .removed = "", .added = path, .node = std::move(node)});
}

void Disk::RemoveName(const std::string& path) {
  names_.erase(path);
  unsynced_names_.push_back(
      {.folder = FolderOf(path), .removed = path, .added = "", .node = nullptr});
}

void Disk::ApplyTo(const NameChange& change, std::map<std::string, std::shared_ptr<Node>>* names) {
  std::map<std::string, std::shared_ptr<Node>> inside;  // Of a folder, by path from it on.
  if (!change.removed.empty()) {
    names->erase(change.removed);
    const std::string folder = change.removed + "/";
    auto it = names->lower_bound(folder);
    while (it != names->end() && absl::StartsWith(it->first, folder)) {
      inside[it->first.substr(change.removed.size())] = it->second;
      it = names->erase(it);
    }
  }
  const std::string folder = FolderOf(change.added);
  // A name in a folder that is not on the disk is not there either.
  if (!change.added.empty() && (folder.empty() || names->contains(folder))) {
    (*names)[change.added] = change.node;
    for (const auto& [name, node] : inside) (*names)[change.added + name] = node;
  }
}

void Disk::SyncFolder(const std::string& folder) {
  std::vector<NameChange> rest;
  for (NameChange& change : unsynced_names_) {
    if (change.folder != folder) {
      rest.push_back(std::move(change));
      continue;
    }
    ApplyTo(change, &durable_names_);
    // A file that was made in another folder and moved here is not in both.
    if (change.removed.empty() || change.node == nullptr) continue;
    std::erase_if(rest, [&change](const NameChange& earlier) {
      return earlier.node == change.node && earlier.added == change.removed;
    });
  }
  unsynced_names_ = std::move(rest);
}

void Disk::LosePower() {
  Chance& chance = scheduler_.chance();
  std::set<std::string> broken_off;  // Folders whose later changes are lost.
  for (const NameChange& change : unsynced_names_) {
    if (broken_off.contains(change.folder)) continue;
    if (chance.Happens(0.5)) {
      broken_off.insert(change.folder);
      continue;
    }
    ApplyTo(change, &durable_names_);
  }
  unsynced_names_.clear();
  names_ = durable_names_;
  for (const auto& [path, node] : names_) {
    if (node->unsynced.empty() && !node->has_lost_writes) continue;
    for (const Node::Write& write : node->unsynced) ApplyTorn(write, chance, &node->durable);
    node->unsynced.clear();
    node->data = node->durable;
    node->has_lost_writes = false;
  }
}

class DiskReadableFile final : public ReadableFile {
 public:
  DiskReadableFile(const DiskFileSystem* files, std::string path, std::shared_ptr<Disk::Node> node)
      : files_(*files),
        path_(std::move(path)),
        node_(std::move(node)),
        size_bytes_(node_->data.size()) {}

  absl::Status ReadAt(uint64_t offset, absl::Span<char> buffer) const override {
    if (!files_.enter_()) return Dead();
    if (offset > node_->data.size() || buffer.size() > node_->data.size() - offset) {
      return absl::OutOfRangeError(absl::StrCat(path_, " ends at byte ", node_->data.size(),
                                                ", before ", offset + buffer.size()));
    }
    if (!buffer.empty()) std::memcpy(buffer.data(), node_->data.data() + offset, buffer.size());
    return absl::OkStatus();
  }

  uint64_t size_bytes() const override { return size_bytes_; }

 private:
  const DiskFileSystem& files_;
  const std::string path_;
  const std::shared_ptr<Disk::Node> node_;  // Shared with the disk's names.
  const uint64_t size_bytes_;
};

class DiskWritableFile final : public WritableFile {
 public:
  DiskWritableFile(const DiskFileSystem* files, std::string path, std::shared_ptr<Disk::Node> node)
      : files_(*files), path_(std::move(path)), node_(std::move(node)) {}

  absl::Status WriteAt(uint64_t offset, absl::string_view data) override {
    Disk& disk = files_.disk_;
    Chance& chance = disk.scheduler_.chance();
    const bool was_alive = files_.enter_();
    if (!was_alive) return Dead();
    const bool is_full = disk.faults.is_full && offset + data.size() > node_->data.size();
    const bool fails = disk.Fails(disk.faults.write_fails);
    if (is_full || fails) data = data.substr(0, chance.Below(data.size() + 1));
    if (!data.empty()) {
      WriteInto(&node_->data, offset, data);
      node_->unsynced.push_back({.offset = offset, .data = std::string(data)});
      node_->modified_at = disk.scheduler_.now();
    }
    if (is_full) {
      ++disk.failures_;
      return absl::ResourceExhaustedError(
          absl::StrCat("cannot write ", path_, ": no space left; free some space"));
    }
    if (fails) return absl::UnavailableError(absl::StrCat("cannot write ", path_, ": I/O error"));
    return absl::OkStatus();
  }

  absl::Status Truncate(uint64_t size_bytes) override {
    if (!files_.enter_()) return Dead();
    Disk& disk = files_.disk_;
    if (disk.Fails(disk.faults.write_fails)) {
      return absl::UnavailableError(absl::StrCat("cannot set the size of ", path_, ": I/O error"));
    }
    node_->unsynced.push_back({.offset = size_bytes, .data = "", .is_truncation = true});
    Apply(node_->unsynced.back(), &node_->data);
    node_->modified_at = disk.scheduler_.now();
    return absl::OkStatus();
  }

  absl::Status Sync() override {
    if (!files_.enter_()) return Dead();
    if (files_.durability_ == Durability::kProcess) return absl::OkStatus();
    Disk& disk = files_.disk_;
    if (disk.Fails(disk.faults.sync_fails)) {
      node_->unsynced.clear();
      node_->has_lost_writes = true;
      if (disk.scheduler_.chance().Happens(0.5)) node_->data = node_->durable;
      return absl::UnavailableError(absl::StrCat("cannot sync ", path_, ": I/O error"));
    }
    for (const Disk::Node::Write& write : node_->unsynced) Apply(write, &node_->durable);
    node_->unsynced.clear();
    return absl::OkStatus();
  }

 private:
  const DiskFileSystem& files_;
  const std::string path_;
  const std::shared_ptr<Disk::Node> node_;  // Shared with the disk's names.
};

DiskFileSystem::DiskFileSystem(Disk* disk, Durability durability, std::function<bool()> enter)
    : disk_(*disk), durability_(durability), enter_(std::move(enter)) {}

absl::StatusOr<std::shared_ptr<Disk::Node>> DiskFileSystem::Find(const std::string& path) const {
  const auto it = disk_.names_.find(path);
  if (it == disk_.names_.end()) {
    return absl::NotFoundError(absl::StrCat(path, ": no such file or folder"));
  }
  return it->second;
}

absl::StatusOr<std::unique_ptr<ReadableFile>> DiskFileSystem::OpenForRead(const std::string& path) {
  if (!enter_()) return Dead();
  auto node = Find(path);
  if (!node.ok()) return node.status();
  if ((*node)->is_folder) return absl::UnavailableError(absl::StrCat(path, " is a folder"));
  return std::make_unique<DiskReadableFile>(this, path, *std::move(node));
}

absl::StatusOr<std::unique_ptr<WritableFile>> DiskFileSystem::OpenForWrite(
    const std::string& path) {
  if (!enter_()) return Dead();
  auto found = Find(path);
  if (found.ok() && (*found)->is_folder) {
    return absl::UnavailableError(absl::StrCat(path, " is a folder"));
  }
  if (found.ok()) return std::make_unique<DiskWritableFile>(this, path, *std::move(found));
  const std::string folder = FolderOf(path);
  if (!folder.empty() && !disk_.names_.contains(folder)) {
    return absl::NotFoundError(absl::StrCat("cannot create ", path, ": no such folder"));
  }
  const auto node = std::make_shared<Disk::Node>();
  node->modified_at = disk_.scheduler_.now();
  disk_.Add(path, node);
  return std::make_unique<DiskWritableFile>(this, path, node);
}

absl::Status DiskFileSystem::Rename(const std::string& from, const std::string& to) {
  if (!enter_()) return Dead();
  const auto node = Find(from);
  if (!node.ok()) return node.status();
  if (disk_.Fails(disk_.faults.rename_fails)) {
    return absl::UnavailableError(absl::StrCat("cannot rename to ", to, ": I/O error"));
  }
  if (const std::string folder = FolderOf(to); !folder.empty() && !disk_.names_.contains(folder)) {
    return absl::NotFoundError(absl::StrCat("cannot rename to ", to, ": no such folder"));
  }
  durable_folders_.Forget(from);
  const Disk::NameChange change{
      .folder = FolderOf(to), .removed = from, .added = to, .node = *node};
  Disk::ApplyTo(change, &disk_.names_);
  disk_.unsynced_names_.push_back(change);
  return SyncNames(FolderOf(to));
}

absl::Status DiskFileSystem::SyncFolder(const std::string& folder) {
  if (!enter_()) return Dead();
  return SyncNames(folder);
}

absl::Status DiskFileSystem::SyncNames(const std::string& folder) {
  if (durability_ == Durability::kProcess) return absl::OkStatus();
  if (disk_.Fails(disk_.faults.sync_fails)) {
    return absl::UnavailableError(absl::StrCat("cannot sync folder ", folder, ": I/O error"));
  }
  disk_.SyncFolder(folder);
  return absl::OkStatus();
}

absl::Status DiskFileSystem::Remove(const std::string& path) {
  if (!enter_()) return Dead();
  if (disk_.names_.contains(path)) disk_.RemoveName(path);
  return absl::OkStatus();
}

bool DiskFileSystem::Exists(const std::string& path) {
  return enter_() && disk_.names_.contains(path);
}

absl::StatusOr<uint64_t> DiskFileSystem::SizeBytes(const std::string& path) {
  if (!enter_()) return Dead();
  const auto node = Find(path);
  if (!node.ok()) return node.status();
  return (*node)->data.size();
}

absl::Status DiskFileSystem::CreateFolder(const std::string& path) {
  if (!enter_()) return Dead();
  const auto exists = [this](const std::string& folder) {
    return folder == "/" || disk_.names_.contains(folder);
  };
  const auto make = [this](const std::string& folder) { return MakeFolder(folder); };
  const auto sync = [this](const std::string& folder) {
    // To make a folder is several operations.
    return enter_() ? SyncNames(folder == "/" ? "" : folder) : Dead();
  };
  return durable_folders_.Create(path, {.exists = exists, .make = make, .sync = sync});
}

absl::Status DiskFileSystem::MakeFolder(const std::string& path) {
  if (!enter_()) return Dead();
  const auto node = std::make_shared<Disk::Node>();
  node->is_folder = true;
  node->modified_at = disk_.scheduler_.now();
  disk_.Add(path, node);
  return absl::OkStatus();
}

absl::StatusOr<std::vector<std::string>> DiskFileSystem::List(const std::string& folder,
                                                              bool files_only) const {
  if (!enter_()) return Dead();
  const auto node = Find(folder);
  if (!node.ok()) return node.status();
  const std::string inside = folder + "/";
  std::vector<std::string> found;
  for (auto it = disk_.names_.lower_bound(inside);
       it != disk_.names_.end() && absl::StartsWith(it->first, inside); ++it) {
    std::string name = it->first.substr(inside.size());
    if (absl::StrContains(name, "/") || (files_only && it->second->is_folder)) continue;
    found.push_back(std::move(name));
  }
  return found;
}

absl::StatusOr<std::vector<std::string>> DiskFileSystem::ListFiles(const std::string& folder) {
  return List(folder, /*files_only=*/true);
}

absl::StatusOr<std::vector<std::string>> DiskFileSystem::ListNames(const std::string& folder) {
  return List(folder, /*files_only=*/false);
}

absl::StatusOr<PathInfo> DiskFileSystem::LookAt(const std::string& path) {
  if (!enter_()) return Dead();
  const auto node = Find(path);
  if (!node.ok()) return node.status();
  return PathInfo{.kind = (*node)->is_folder ? PathInfo::Kind::kFolder : PathInfo::Kind::kFile,
                  .modified_at = (*node)->modified_at};
}

absl::Status DiskFileSystem::RemoveTree(const std::string& path) {
  if (!enter_()) return Dead();
  durable_folders_.Forget(path);
  const std::string inside = path + "/";
  std::vector<std::string> doomed;
  for (auto it = disk_.names_.lower_bound(inside);
       it != disk_.names_.end() && absl::StartsWith(it->first, inside); ++it) {
    doomed.push_back(it->first);
  }
  // The deepest first, as remove_all does.
  for (auto it = doomed.rbegin(); it != doomed.rend(); ++it) disk_.RemoveName(*it);
  if (disk_.names_.contains(path)) disk_.RemoveName(path);
  return absl::OkStatus();
}

class DiskFileLock final : public FileLock {
 public:
  DiskFileLock(Disk* disk, std::string path, LockKind kind)
      : disk_(*disk), path_(std::move(path)), kind_(kind) {
    disk_.locks_[path_] += kind_ == LockKind::kExclusive ? -1 : 1;
  }
  ~DiskFileLock() override { disk_.locks_[path_] -= kind_ == LockKind::kExclusive ? -1 : 1; }

 private:
  Disk& disk_;
  const std::string path_;
  const LockKind kind_;
};

absl::StatusOr<std::unique_ptr<FileLock>> DiskFileSystem::Lock(const std::string& path,
                                                               LockKind kind) {
  if (!enter_()) return Dead();
  const int holders = disk_.locks_[path];
  if (holders < 0 || (holders > 0 && kind == LockKind::kExclusive)) {
    return absl::FailedPreconditionError(absl::StrCat(path, " is locked by another process"));
  }
  const auto node = Find(path);
  if (!node.ok() && kind == LockKind::kShared) return node.status();
  if (!node.ok()) {
    const auto made = OpenForWrite(path);
    if (!made.ok()) return made.status();
  }
  return std::make_unique<DiskFileLock>(&disk_, path, kind);
}

absl::StatusOr<uint64_t> DiskFileSystem::FreeBytes(const std::string&) {
  if (!enter_()) return Dead();
  return disk_.faults.is_full ? 0 : uint64_t{1} << 30;
}

}  // namespace entente::sim
