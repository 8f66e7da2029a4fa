// The jobs of package ours on C++20 coroutines. Run it with a job and a number
// of operations; it prints nanoseconds for each.
#include <chrono>
#include <coroutine>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string>
#include <vector>

struct Operation;

// A completion queue: operations complete in the order in which they started.
struct Queue {
  std::vector<Operation*> ring = std::vector<Operation*>(8);
  uint64_t head = 0, tail = 0;
  void push(Operation* op) { ring[tail++ & (ring.size() - 1)] = op; }
  void run();
};

// An operation that its owner starts again and again. Awaiting it starts it.
struct Operation {
  Queue& queue;
  std::coroutine_handle<> waiting;
  long value = 0;

  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> h) {
    waiting = h;
    queue.push(this);
  }
  long await_resume() const noexcept { return value; }
};

void Queue::run() {
  while (head != tail) {
    Operation* op = ring[head++ & (ring.size() - 1)];
    op->value = 1;
    op->waiting.resume();
  }
}

// A lazy task: it starts when it is awaited, and resumes who awaits it.
struct Task {
  struct promise_type {
    long value = 0;
    std::coroutine_handle<> parent = std::noop_coroutine();

    Task get_return_object() { return Task{std::coroutine_handle<promise_type>::from_promise(*this)}; }
    std::suspend_always initial_suspend() noexcept { return {}; }
    struct Final {
      bool await_ready() noexcept { return false; }
      std::coroutine_handle<> await_suspend(std::coroutine_handle<promise_type> h) noexcept { return h.promise().parent; }
      void await_resume() noexcept {}
    };
    Final final_suspend() noexcept { return {}; }
    void return_value(long v) { value = v; }
    void unhandled_exception() { std::terminate(); }
  };

  std::coroutine_handle<promise_type> handle;
  explicit Task(std::coroutine_handle<promise_type> h) : handle(h) {}
  Task(const Task&) = delete;
  ~Task() { handle.destroy(); }

  bool await_ready() const noexcept { return false; }
  std::coroutine_handle<> await_suspend(std::coroutine_handle<> parent) {
    handle.promise().parent = parent;
    return handle;
  }
  long await_resume() const noexcept { return handle.promise().value; }
};

Task sum(long n, Operation& op) {
  long total = 0;
  for (long i = 0; i < n; i++) total += co_await op;
  co_return total;
}

Task pair(Operation& op) {
  long a = co_await op;
  long b = co_await op;
  co_return a + b;
}

Task pairs(long n, Operation& op) {
  long total = 0;
  for (long i = 0; i < n; i++) total += co_await pair(op);
  co_return total;
}

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  const bool nested = std::string(argv[1]) == "nested";
  const long n = std::atol(argv[2]);
  Queue queue;
  Operation op{queue, nullptr};
  const auto start = std::chrono::steady_clock::now();
  Task task = nested ? pairs(n, op) : sum(n, op);
  task.handle.resume();
  queue.run();
  const std::chrono::duration<double, std::nano> took = std::chrono::steady_clock::now() - start;
  if (task.handle.promise().value != (nested ? 2 * n : n)) return 1;
  std::printf("%.3f\n", took.count() / double(n));
}
