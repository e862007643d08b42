// Package ptytest runs programs of tests on a pseudo-terminal.
package ptytest
