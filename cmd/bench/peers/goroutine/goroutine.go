// Package goroutine has the same jobs as package ours, with a goroutine for each
// operation that waits, on a channel.
package goroutine

import (
	"sync"
	"sync/atomic"
	"time"
)

// A Queue completes operations in the order in which they were started: it is a
// channel of those who wait.
type Queue chan *Operation

// An Operation is one that its owner starts again and again, one at a time.
type Operation struct {
	queue  Queue
	result chan int
}

// NewOperation makes an operation.
func (q Queue) NewOperation() *Operation { return &Operation{queue: q, result: make(chan int, 1)} }

// Do starts the operation and waits for it.
func (o *Operation) Do() int {
	o.queue <- o
	return <-o.result
}

// Complete completes the oldest n operations.
func (q Queue) Complete(n int) {
	for range n {
		(<-q).result <- 1
	}
}

// Sum adds up what n operations give, on a goroutine.
func Sum(n int, q Queue) (result chan int) {
	result = make(chan int, 1)
	op := q.NewOperation()
	go func() {
		sum := 0
		for range n {
			sum += op.Do()
		}
		result <- sum
	}()
	return result
}

// Watch starts n goroutines that each count what a channel of their own gives.
// They end when the channel is closed.
func Watch(n int) (close func()) {
	channels := make([]chan int, n)
	var started, ended sync.WaitGroup
	for i := range channels {
		c := make(chan int)
		channels[i] = c
		started.Add(1)
		ended.Go(func() {
			started.Done()
			count := 0
			for v := range c {
				count += v
			}
		})
	}
	started.Wait()
	return func() { closeAll(channels); ended.Wait() }
}

func closeAll(channels []chan int) {
	for _, c := range channels {
		close(c)
	}
}

// InFlight keeps n goroutines waiting, each on its channel, and resumes them in
// turn; each says that it waits again.
type InFlight struct {
	queue Queue
	ended sync.WaitGroup
}

// NewInFlight starts the goroutines.
func NewInFlight(n int) *InFlight {
	f := &InFlight{queue: make(Queue, n)}
	for range n {
		op := f.queue.NewOperation()
		f.ended.Go(func() {
			for op.Do() > 0 {
			}
		})
	}
	return f
}

// Complete resumes n of them.
func (f *InFlight) Complete(n int) { f.queue.Complete(n) }

// Close ends them all.
func (f *InFlight) Close() {
	go func() { f.ended.Wait(); close(f.queue) }()
	for op := range f.queue {
		op.result <- 0
	}
}

// ReadSleeping is n readers, each on a goroutine, that read a block rounds times;
// the disk is a pause, by the clock at hand, and a copy.
func ReadSleeping(n, rounds int, disk, buf []byte, pauses []time.Duration) (done int) {
	var readers sync.WaitGroup
	var blocks atomic.Int64
	for i := range n {
		readers.Go(func() {
			for round := range rounds {
				time.Sleep(pauses[(i+round)%len(pauses)])
				copy(buf, disk)
			}
			blocks.Add(int64(rounds))
		})
	}
	readers.Wait()
	return int(blocks.Load())
}

// ReadMillion is n readers, each on a goroutine, that read one block of a disk
// which serves them in turn, once all of them wait.
func ReadMillion(n int, disk, buf []byte) (done int) {
	q := make(Queue, n)
	results := make(chan int, 1)
	for range n {
		op := q.NewOperation()
		go func() {
			op.Do()
			results <- copy(buf, disk)
		}()
	}
	for len(q) < n {
		time.Sleep(time.Millisecond)
	}
	go q.Complete(n)
	for range n {
		if <-results == len(buf) {
			done++
		}
	}
	return done
}

// SumOfValues adds up n ones, which another goroutine sends.
func SumOfValues(n int) (sum int) {
	values := make(chan int)
	go func() {
		defer close(values)
		for range n {
			values <- 1
		}
	}()
	for v := range values {
		sum += v
	}
	return sum
}
