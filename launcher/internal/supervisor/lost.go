package supervisor

import (
	"errors"
	"fmt"
	"os"
	"syscall"

	"ergosphere.dev/launcher/internal/criu"
)

// checkpointerEnded is closed when the CRIU that holds the program has ended, and with it the hold.
func (s *Supervisor) checkpointerEnded() <-chan struct{} {
	if s.worker == nil {
		return nil
	}
	return s.worker.Ended
}

// onCheckpointerEnd undoes a cut whose program runs on. A restored one has begun before the other workers, and without
// its network.
func (s *Supervisor) onCheckpointerEnd() {
	if s.state == Restored {
		s.lose(errors.New("CRIU has ended before the program was let go"))
		return
	}
	s.runOn("CheckpointerEnded")
}

// loseUnlessConnected ends a program that did not get its connections back.
func (s *Supervisor) loseUnlessConnected(err error) {
	if errors.Is(err, criu.ErrConnectionsLost) {
		s.lose(err)
	}
}

// lose ends the program, and the container as if the launcher had been killed: without a word of how the program ended,
// nobody takes that for its own doing.
func (s *Supervisor) lose(cause error) {
	fmt.Fprintf(os.Stderr, "ergosphere: the program is ended: %v\n", cause)
	if err := s.endTree(); err != nil {
		fmt.Fprintf(os.Stderr, "ergosphere: after that: %v\n", err)
	}
	s.state, s.exitCode, s.over = Exited, 128+int(syscall.SIGKILL), true
}
