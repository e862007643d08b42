//go:build !race

package main

// raced: the race detector looks on. What it cannot see the tests show without it.
const raced = false
