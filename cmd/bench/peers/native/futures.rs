//! The jobs of package ours on Rust's async functions, with the standard library
//! alone. Run it with a job and a number of operations; it prints nanoseconds for
//! each.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::future::Future;
use std::mem::ManuallyDrop;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, RawWaker, RawWakerVTable, Waker};
use std::time::Instant;

/// A completion queue: operations complete in the order in which they started.
type Queue = Rc<RefCell<VecDeque<Rc<Operation>>>>;

/// An operation that its owner starts again and again.
#[derive(Default)]
struct Operation {
    result: Cell<Option<i64>>,
    waker: RefCell<Option<Waker>>,
}

/// The future of an operation that was started.
struct Pending<'a>(&'a Operation);

impl Future for Pending<'_> {
    type Output = i64;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<i64> {
        if let Some(v) = self.0.result.take() {
            return Poll::Ready(v);
        }
        let mut waker = self.0.waker.borrow_mut();
        match &*waker {
            Some(w) if w.will_wake(cx.waker()) => {}
            _ => *waker = Some(cx.waker().clone()),
        }
        Poll::Pending
    }
}

fn start<'a>(queue: &Queue, op: &'a Rc<Operation>) -> Pending<'a> {
    queue.borrow_mut().push_back(op.clone());
    Pending(op)
}

async fn sum(n: i64, queue: &Queue, op: &Rc<Operation>) -> i64 {
    let mut total = 0;
    for _ in 0..n {
        total += start(queue, op).await;
    }
    total
}

async fn pair(queue: &Queue, op: &Rc<Operation>) -> i64 {
    let a = start(queue, op).await;
    let b = start(queue, op).await;
    a + b
}

async fn pairs(n: i64, queue: &Queue, op: &Rc<Operation>) -> i64 {
    let mut total = 0;
    for _ in 0..n {
        total += pair(queue, op).await;
    }
    total
}

/// A task of the executor, which runs on one thread: no counter is atomic.
struct Task {
    future: RefCell<Pin<Box<dyn Future<Output = ()>>>>,
    ready: Rc<RefCell<VecDeque<Rc<Task>>>>,
}

/// A waker is an Rc of its task. It never leaves the thread.
const VTABLE: RawWakerVTable = RawWakerVTable::new(
    |task| unsafe {
        Rc::increment_strong_count(task as *const Task);
        RawWaker::new(task, &VTABLE)
    },
    |task| {
        let task = unsafe { Rc::from_raw(task as *const Task) };
        let ready = task.ready.clone();
        ready.borrow_mut().push_back(task);
    },
    |task| {
        let task = ManuallyDrop::new(unsafe { Rc::from_raw(task as *const Task) });
        task.ready.borrow_mut().push_back(Rc::clone(&task));
    },
    |task| unsafe { Rc::decrement_strong_count(task as *const Task) },
);

/// Polls the tasks that were woken, and completes operations when there are none.
fn run(queue: &Queue, future: Pin<Box<dyn Future<Output = ()>>>) {
    let ready = Rc::new(RefCell::new(VecDeque::new()));
    let task = Rc::new(Task { future: RefCell::new(future), ready: ready.clone() });
    ready.borrow_mut().push_back(task);
    loop {
        while let Some(task) = next(&ready) {
            let raw = RawWaker::new(Rc::into_raw(task.clone()) as *const (), &VTABLE);
            let waker = unsafe { Waker::from_raw(raw) };
            let _ = task.future.borrow_mut().as_mut().poll(&mut Context::from_waker(&waker));
        }
        let Some(op) = next(queue) else { return };
        op.result.set(Some(1));
        if let Some(waker) = op.waker.take() {
            waker.wake();
        }
    }
}

fn next<T>(queue: &Rc<RefCell<VecDeque<T>>>) -> Option<T> {
    queue.borrow_mut().pop_front()
}

fn main() {
    let args: Vec<String> = std::env::args().collect();
    let nested = args[1] == "nested";
    let n: i64 = args[2].parse().expect("a number");
    let queue = Queue::default();
    let total = Rc::new(Cell::new(0));
    let begin = Instant::now();
    let (q, t) = (queue.clone(), total.clone());
    run(&queue, Box::pin(async move {
        let op = Rc::new(Operation::default());
        t.set(if nested { pairs(n, &q, &op).await } else { sum(n, &q, &op).await });
    }));
    let took = begin.elapsed();
    assert_eq!(total.get(), if nested { 2 * n } else { n });
    println!("{:.3}", took.as_nanos() as f64 / n as f64);
}
