// SPDX-License-Identifier: Apache-2.0
#ifndef TRAINER_PROTOCOL_MESSAGE_WRITER_H_
#define TRAINER_PROTOCOL_MESSAGE_WRITER_H_

// What the trainer says to the worker, one JSON object a line.

#include <ostream>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "trainer/protocol/training_session.h"

namespace entente::trainer {

// The process's standard output. It belongs to the protocol; a subcommand prints its result there.
std::ostream& StandardOutput();

// Writes whole lines and flushes each. Thread-safe.
class MessageWriter {
 public:
  // `out` is borrowed.
  explicit MessageWriter(std::ostream& out) : out_(out) {}

  void Hello(absl::string_view trainer, absl::string_view libtorch);
  void Prepared(const PreparedResult& result);
  void Progressed(const std::string& task, const Progress& progress);
  void Updated(const std::string& task, const UpdateResult& result);
  void Evaluated(const std::string& task, const EvaluationResult& result);
  // `task` is empty if the error is about none.
  void Error(const std::string& task, absl::string_view message);

  // False once the worker cannot be written to any more.
  bool is_open() ABSL_LOCKS_EXCLUDED(mu_);

 private:
  void WriteLine(const std::string& line) ABSL_LOCKS_EXCLUDED(mu_);

  // Held while a line is written, so that lines of two threads do not mix: the write is the
  // section.
  absl::Mutex mu_;
  std::ostream& out_ ABSL_GUARDED_BY(mu_);
};

}  // namespace entente::trainer

#endif  // TRAINER_PROTOCOL_MESSAGE_WRITER_H_
