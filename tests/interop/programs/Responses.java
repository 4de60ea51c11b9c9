// A stock archive whose client hears its answers, and a replay, by response channels: it opens no address of its
// own that the archive would have to reach.
// usage: Responses ARCHIVE_DIR|CONTROL_CHANNEL_OF_ONE_THAT_RUNS FIRST_PORT MESSAGES

import io.aeron.Aeron;
import io.aeron.ExclusivePublication;
import io.aeron.Subscription;
import io.aeron.archive.Archive;
import io.aeron.archive.client.AeronArchive;
import io.aeron.archive.client.ReplayParams;
import io.aeron.archive.codecs.SourceLocation;
import io.aeron.archive.status.RecordingPos;
import java.io.File;
import org.agrona.concurrent.UnsafeBuffer;
import org.agrona.concurrent.status.CountersReader;

public class Responses
{
    private static final int STREAM = 1033;
    private static final long DEADLINE = System.nanoTime() + 60_000_000_000L;

    private static void idle(final String what)
    {
        if (System.nanoTime() > DEADLINE)
        {
            System.out.println("timed out: " + what);
            System.exit(1);
        }
        Thread.yield();
    }

    public static void main(final String[] args)
    {
        final int port = Integer.parseInt(args[1]);
        final int total = Integer.parseInt(args[2]);
        final boolean isRunning = args[0].startsWith("aeron:");
        final String archiveControl = isRunning ? args[0] : "aeron:udp?endpoint=localhost:" + port;
        final String answers = "aeron:udp?control-mode=response|control=localhost:" + (port + 1);
        final Archive.Context server = new Archive.Context()
            .archiveDir(new File(args[0]))
            .controlChannel(archiveControl)
            .replicationChannel("aeron:udp?endpoint=localhost:0")
            .deleteArchiveOnStart(true);
        final AeronArchive.Context clientContext = new AeronArchive.Context()
            .controlRequestChannel(archiveControl)
            .controlResponseChannel(answers);

        try (Archive ignored = isRunning ? null : Archive.launch(server);
            Aeron aeron = Aeron.connect();
            AeronArchive archive = AeronArchive.connect(clientContext.aeron(aeron)))
        {
            final ExclusivePublication publication =
                archive.addRecordedExclusivePublication("aeron:ipc?term-length=64k", STREAM);
            final CountersReader counters = aeron.countersReader();
            int counter;
            while (CountersReader.NULL_COUNTER_ID ==
                (counter = RecordingPos.findCounterIdBySession(counters, publication.sessionId())))
            {
                idle("a recording");
            }
            final long recording = RecordingPos.getRecordingId(counters, counter);
            final UnsafeBuffer message = new UnsafeBuffer(new byte[200]);
            for (int sent = 0; sent < total; sent++)
            {
                message.putInt(0, sent);
                while (publication.offer(message) < 0)
                {
                    idle("the recording takes messages");
                }
            }
            while (counters.getCounterValue(counter) < publication.position())
            {
                idle("all is recorded");
            }
            final int[] received = {0};
            final ReplayParams whole = new ReplayParams().position(0).length(publication.position());
            try (Subscription replay = archive.replay(recording, answers, STREAM + 1, whole))
            {
                while (received[0] < total)
                {
                    replay.poll((buffer, offset, length, header) ->
                    {
                        if (buffer.getInt(offset) != received[0]++)
                        {
                            System.out.println("out of order after " + received[0]);
                            System.exit(1);
                        }
                    }, 10);
                    idle("the replay: received " + received[0]);
                }
            }
            System.out.println("replayed " + received[0]);
        }
        System.exit(0);
    }
}
