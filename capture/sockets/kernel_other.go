//go:build !linux

package sockets

// Open is for Linux alone.
func Open() (*Watch, error) { return nil, ErrUnsupported }
