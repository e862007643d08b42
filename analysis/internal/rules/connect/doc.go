// Package connect has the rules about how connections come about, and whether they had to: set-up,
// refusals, ports, pools, and connections that could have been used again.
package connect
