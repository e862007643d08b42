// Package sender follows the two senders of a connection through its records: what each had sent,
// what of that had arrived, what it could know when it sent a segment, and so what may have
// released that segment. It infers the congestion window, the path's rate, the pace of timestamp
// clocks and the like from outside, as none of them is on the wire.
//
// It answers questions about single segments and gives what a message showed as a whole. It knows
// neither labels nor exchanges, nor how the time of a connection is divided.
package sender
