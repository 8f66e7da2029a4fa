// Package pool holds those who run continuations. All of them are SyncContexts of package async, and each of their threads
// has an async.Executor, so that who runs is passed and never looked up.
//
//	                                     in a World    without one
//	a UI thread with a message loop      UI            Loop
//	a pool of threads                    Threads       Workers
//	one thing at a time, on any thread   Serial        NewSerial
//
// Those of a World are simulated: their threads are kernel.Threads, bodies without a goroutine that the World's loop calls;
// sim.World has one UI, several Threads, and makes Serials. Those without one run on goroutines: Loop on the one that calls
// its Run, Workers and NewSerial on a few that start when there is something to do and end when there is not.
//
// Every one of them gives out a context.Context whose machines resume on it, by its Context method; takes the failures of
// operations that nobody awaits, by HandleErrors; and counts such operations (C43). A user's own SyncContext may embed one,
// or hand on to its Post.
package pool
