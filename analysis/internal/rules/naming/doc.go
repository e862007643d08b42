// Package naming has the rule about how servers' names are looked up before connections to them.
package naming
