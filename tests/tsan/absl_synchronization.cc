// SPDX-License-Identifier: Apache-2.0
// abseil's locks, made of the C++ library's, for builds with ThreadSanitizer.
//
// ThreadSanitizer knows what happened before what from the locks that it sees. abseil's own are
// futexes in a shared library that Debian builds without it, so every access that one of them
// guards would look like a race. What is defined here takes the place of the library's, in the
// program and in the libraries that it loads (gRPC's too), because the dynamic linker looks into
// the program first. Locks of readers are locks of writers here.

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>

#include "absl/synchronization/blocking_counter.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "absl/time/time.h"

namespace absl {
ABSL_NAMESPACE_BEGIN
namespace {

// What an absl::Mutex points at once it has been used.
struct PlainMutex {
  std::mutex mutex;
  std::condition_variable released;  // For those who wait for a condition.
  int waiters = 0;
};

// The object that `word` points at, made by the first who asks.
template <typename T>
T& Behind(std::atomic<intptr_t>& word) {
  intptr_t value = word.load(std::memory_order_acquire);
  if (value == 0) {
    T* const made = new T;
    if (word.compare_exchange_strong(value, reinterpret_cast<intptr_t>(made),
                                     std::memory_order_acq_rel)) {
      return *made;
    }
    delete made;
  }
  return *reinterpret_cast<T*>(value);
}

template <typename T>
void Free(std::atomic<intptr_t>& word) {
  delete reinterpret_cast<T*>(word.load(std::memory_order_acquire));
}

// So far ahead that nobody waits for it, and no clock's arithmetic overflows.
constexpr absl::Duration kLongest = absl::Hours(24 * 365);

absl::Time WallTime() { return absl::FromChrono(std::chrono::system_clock::now()); }

std::chrono::system_clock::time_point AsTimePoint(absl::Time time) {
  return absl::ToChronoTime(std::min(time, WallTime() + kLongest));
}

// What std::condition_variable_any waits with.
struct Lockable {
  Mutex& mutex;
  void lock() { mutex.Lock(); }
  void unlock() { mutex.Unlock(); }
};

// With the mutex held, which it is again on return: whether `condition` came true.
bool WaitFor(PlainMutex& plain, const Condition& condition, absl::Time deadline) {
  std::unique_lock<std::mutex> lock(plain.mutex, std::adopt_lock);
  // Waiting lets go of the mutex, too: what was changed under it may be what others wait for.
  if (plain.waiters > 0) plain.released.notify_all();
  ++plain.waiters;
  const bool is_true =
      plain.released.wait_until(lock, AsTimePoint(deadline), [&] { return condition.Eval(); });
  --plain.waiters;
  lock.release();
  return is_true;
}

void Release(PlainMutex& plain) {
  if (plain.waiters > 0) plain.released.notify_all();
  plain.mutex.unlock();
}

}  // namespace

// The word of a Mutex or a CondVar is private to it: every member asks for itself.

Mutex::~Mutex() { Free<PlainMutex>(mu_); }

void Mutex::Lock() { Behind<PlainMutex>(mu_).mutex.lock(); }
void Mutex::Unlock() { Release(Behind<PlainMutex>(mu_)); }
bool Mutex::TryLock() { return Behind<PlainMutex>(mu_).mutex.try_lock(); }
void Mutex::ReaderLock() { Lock(); }
void Mutex::ReaderUnlock() { Unlock(); }
bool Mutex::ReaderTryLock() { return TryLock(); }
void Mutex::AssertHeld() const {}
void Mutex::AssertNotHeld() const {}
void Mutex::AssertReaderHeld() const {}
void Mutex::ForgetDeadlockInfo() {}
void Mutex::EnableDebugLog(const char*) {}
void Mutex::EnableInvariantDebugging(void (*)(void*), void*) {}

void Mutex::Await(const Condition& condition) {
  WaitFor(Behind<PlainMutex>(mu_), condition, absl::InfiniteFuture());
}
bool Mutex::AwaitWithTimeout(const Condition& condition, absl::Duration timeout) {
  return AwaitWithDeadline(condition, WallTime() + timeout);
}
bool Mutex::AwaitWithDeadline(const Condition& condition, absl::Time deadline) {
  return WaitFor(Behind<PlainMutex>(mu_), condition, deadline);
}

void Mutex::LockWhen(const Condition& condition) {
  Lock();
  Await(condition);
}
bool Mutex::LockWhenWithTimeout(const Condition& condition, absl::Duration timeout) {
  Lock();
  return AwaitWithTimeout(condition, timeout);
}
bool Mutex::LockWhenWithDeadline(const Condition& condition, absl::Time deadline) {
  Lock();
  return AwaitWithDeadline(condition, deadline);
}
void Mutex::ReaderLockWhen(const Condition& condition) { LockWhen(condition); }
bool Mutex::ReaderLockWhenWithTimeout(const Condition& condition, absl::Duration timeout) {
  return LockWhenWithTimeout(condition, timeout);
}
bool Mutex::ReaderLockWhenWithDeadline(const Condition& condition, absl::Time deadline) {
  return LockWhenWithDeadline(condition, deadline);
}

CondVar::~CondVar() { Free<std::condition_variable_any>(cv_); }

void CondVar::Wait(Mutex* mutex) {
  Lockable lockable{*mutex};
  Behind<std::condition_variable_any>(cv_).wait(lockable);
}
bool CondVar::WaitWithTimeout(Mutex* mutex, absl::Duration timeout) {
  return WaitWithDeadline(mutex, WallTime() + timeout);
}
bool CondVar::WaitWithDeadline(Mutex* mutex, absl::Time deadline) {
  Lockable lockable{*mutex};
  return Behind<std::condition_variable_any>(cv_).wait_until(lockable, AsTimePoint(deadline)) ==
         std::cv_status::timeout;
}
void CondVar::Signal() { Behind<std::condition_variable_any>(cv_).notify_one(); }
void CondVar::SignalAll() { Behind<std::condition_variable_any>(cv_).notify_all(); }
void CondVar::EnableDebugLog(const char*) {}

// These two look at an atomic before they lock, in the library, where it is not seen either.

Notification::~Notification() { const MutexLock lock(&mutex_); }
void Notification::Notify() {
  const MutexLock lock(&mutex_);
  notified_yet_.store(true, std::memory_order_release);
}
void Notification::WaitForNotification() const {
  WaitForNotificationWithDeadline(absl::InfiniteFuture());
}
bool Notification::WaitForNotificationWithTimeout(absl::Duration timeout) const {
  return WaitForNotificationWithDeadline(WallTime() + timeout);
}
bool Notification::WaitForNotificationWithDeadline(absl::Time deadline) const {
  const bool notified =
      mutex_.LockWhenWithDeadline(Condition(&HasBeenNotifiedInternal, &notified_yet_), deadline);
  mutex_.Unlock();
  return notified;
}

BlockingCounter::BlockingCounter(int initial_count)
    : count_(initial_count), num_waiting_(0), done_(initial_count == 0) {}
bool BlockingCounter::DecrementCount() {
  const MutexLock lock(&lock_);
  done_ = --count_ == 0;
  return done_;
}
void BlockingCounter::Wait() { const MutexLock lock(&lock_, Condition(&done_)); }

ABSL_NAMESPACE_END
}  // namespace absl
