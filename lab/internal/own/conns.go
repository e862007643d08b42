//go:build linux

package own

import (
	"net"
	"sync"
)

// openConns lets the end of a run close what is still open, and wait for it.
type openConns struct {
	mu    sync.Mutex
	conns map[net.Conn]bool
	wait  sync.WaitGroup
}

func (o *openConns) add(c net.Conn) {
	o.wait.Add(1)
	o.mu.Lock()
	o.conns[c] = true
	o.mu.Unlock()
}

func (o *openConns) remove(c net.Conn) {
	o.mu.Lock()
	delete(o.conns, c)
	o.mu.Unlock()
	c.Close()
	o.wait.Done()
}

func (o *openConns) closeAll() {
	o.mu.Lock()
	for c := range o.conns {
		c.Close()
	}
	o.mu.Unlock()
	o.wait.Wait()
}
