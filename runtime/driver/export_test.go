package driver

// NetCounts say what the drivers of an adapter hold.
type NetCounts struct {
	Frames      int // in flight: being sent, or not acknowledged
	Connections int // that the network knows of
	Sockets     int // open, of both kinds
}

// Counts returns what the drivers hold. When all is closed and done, all of it is 0.
func (n *Net) Counts() NetCounts {
	return NetCounts{
		Frames: n.pool.out, Connections: len(n.streams.streams),
		Sockets: len(n.streams.sockets) + len(n.datagrams.sockets),
	}
}
