// SPDX-License-Identifier: Apache-2.0
// What gRPC's completion queues order, for ThreadSanitizer: what a thread did before it started a
// batch of operations happens before what another does with their completion. gRPC is not built
// with ThreadSanitizer and hands completions over by atomics, which it does not see. The linker
// puts these in the place of the library's, which they call.
#include <dlfcn.h>
#include <grpc/grpc.h>
#include <sanitizer/tsan_interface.h>

namespace {

template <typename Function>
Function* TheLibrarys(const char* name) {
  return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}

}  // namespace

extern "C" {

grpc_call_error grpc_call_start_batch(grpc_call* call, const grpc_op* ops, size_t ops_count,
                                      void* tag, void* reserved) {
  static const auto start = TheLibrarys<decltype(grpc_call_start_batch)>("grpc_call_start_batch");
  __tsan_release(tag);
  return start(call, ops, ops_count, tag, reserved);
}

grpc_event grpc_completion_queue_next(grpc_completion_queue* queue, gpr_timespec deadline,
                                      void* reserved) {
  static const auto next =
      TheLibrarys<decltype(grpc_completion_queue_next)>("grpc_completion_queue_next");
  const grpc_event event = next(queue, deadline, reserved);
  if (event.type == GRPC_OP_COMPLETE) __tsan_acquire(event.tag);
  return event;
}

grpc_event grpc_completion_queue_pluck(grpc_completion_queue* queue, void* tag,
                                       gpr_timespec deadline, void* reserved) {
  static const auto pluck =
      TheLibrarys<decltype(grpc_completion_queue_pluck)>("grpc_completion_queue_pluck");
  const grpc_event event = pluck(queue, tag, deadline, reserved);
  if (event.type == GRPC_OP_COMPLETE) __tsan_acquire(tag);
  return event;
}

}  // extern "C"
