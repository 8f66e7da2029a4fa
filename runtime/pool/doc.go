// Package pool holds those who run continuations: pools of threads over completion ports, and a UI thread with a message
// loop. All of them are SyncContexts of package async, and each of their threads has an async.Executor, so that who runs
// is passed and never looked up.
//
// Threads and UI are simulated: their threads are kernel.Threads, bodies without a goroutine that a World's loop calls.
package pool
