package ours

import (
	"context"
	"io"

	"github.com/nothread/nothread/runtime/overlapped"
)

// CopyStream copies src to dst until src ends and returns the bytes copied.
//
//nothread:async
func CopyStream(ctx context.Context, src, dst *overlapped.File) (int64, error) {
	buf := make([]byte, 0x1000)
	var copied int64
	for {
		n, err := src.ReadAsync(ctx, buf).Await()
		if err == io.EOF {
			return copied, nil
		}
		if err != nil {
			return copied, err
		}
		if _, err := dst.WriteAsync(ctx, buf[:n]).Await(); err != nil {
			return copied, err
		}
		copied += int64(n)
	}
}
