// Package wording has the words and figures in which every output for people says the same thing:
// durations, shares and counts, and what a frame, an exchange or a connection is called.
package wording
