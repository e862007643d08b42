// Package transfer has the rules about what holds a message back while it is under way: windows,
// loss, timers, the path's rate and queues, and the server before it answers.
package transfer
