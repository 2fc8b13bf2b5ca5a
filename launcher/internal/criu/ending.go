package criu

import (
	"errors"
	"syscall"
	"time"
)

// Finish lets CRIU go on from where it holds, to its end. It fails as Close does.
func (w *Worker) Finish() error {
	defer w.killAfter(Slowest).Stop()
	if err := w.advanceToEnd(); err != nil {
		return errors.Join(err, w.Close())
	}
	return w.hangUp()
}

func (w *Worker) advanceToEnd() error {
	if err := w.Proceed(); err != nil {
		return err
	}
	for {
		stage, success, err := w.Next()
		if err == nil && stage == "" && !success {
			err = ErrRefused
		}
		if err != nil || stage == "" {
			return err
		}
		if err := w.Proceed(); err != nil {
			return err
		}
	}
}

// Close hangs up and waits for the process to end, which it does on its own: a CRIU that loses its caller lets go of the
// tree. One that does not is killed. The program has its connections back then, or the error is ErrConnectionsLost.
func (w *Worker) Close() error {
	defer w.killAfter(Slowest).Stop()
	return errors.Join(w.hangUp(), w.giveBack())
}

func (w *Worker) hangUp() error {
	err := w.socket.Close()
	<-w.Ended
	return err
}

func (w *Worker) giveBack() error {
	if w.root == 0 {
		return nil
	}
	return giveBackConnections(w.root)
}

func (w *Worker) killAfter(limit time.Duration) *time.Timer { return time.AfterFunc(limit, w.kill) }

// kill stops CRIU first: it holds the tree until it is dead, and the program must not send anything on a connection that
// it does not have back. What fails here is tried again when CRIU has ended.
func (w *Worker) kill() {
	_ = syscall.Kill(w.PID, syscall.SIGSTOP)
	_ = w.giveBack()
	_ = syscall.Kill(w.PID, syscall.SIGKILL)
}
