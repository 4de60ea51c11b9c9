// An archive and its clients of stock Aeron on whatever driver runs in aeron.dir: records a multi-destination
// publication, and follows it from its start by ReplayMerge.
// usage: Merge ARCHIVE_DIR|CONTROL_CHANNEL_OF_ONE_THAT_RUNS FIRST_PORT MESSAGES

import io.aeron.Aeron;
import io.aeron.ChannelUriStringBuilder;
import io.aeron.ExclusivePublication;
import io.aeron.Image;
import io.aeron.Subscription;
import io.aeron.archive.Archive;
import io.aeron.archive.client.AeronArchive;
import io.aeron.archive.client.ReplayMerge;
import io.aeron.archive.codecs.SourceLocation;
import io.aeron.archive.status.RecordingPos;
import io.aeron.logbuffer.FragmentHandler;
import java.io.File;
import org.agrona.concurrent.UnsafeBuffer;
import org.agrona.concurrent.status.CountersReader;

public class Merge
{
    private static final int STREAM = 1033;
    private static long deadline = System.nanoTime() + 60_000_000_000L;

    private static void idle(final String what)
    {
        if (System.nanoTime() > deadline)
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
        final String control = "localhost:" + port;
        final boolean isRunning = args[0].startsWith("aeron:");
        final String archiveControl = isRunning ? args[0] : "aeron:udp?endpoint=localhost:" + (port + 1);
        final Archive.Context server = new Archive.Context()
            .archiveDir(new File(args[0]))
            .controlChannel(archiveControl)
            .replicationChannel("aeron:udp?endpoint=localhost:0")
            .deleteArchiveOnStart(true);
        final AeronArchive.Context clientContext = new AeronArchive.Context()
            .controlRequestChannel(archiveControl)
            .controlResponseChannel("aeron:udp?endpoint=localhost:0");

        try (Archive ignored = isRunning ? null : Archive.launch(server);
            Aeron aeron = Aeron.connect();
            AeronArchive archive = AeronArchive.connect(clientContext.aeron(aeron)))
        {
            final String publicationChannel = new ChannelUriStringBuilder().media("udp")
                .tags("1,2").controlEndpoint(control).controlMode("dynamic").termLength(64 * 1024).build();
            final ExclusivePublication publication = aeron.addExclusivePublication(publicationChannel, STREAM);
            final int session = publication.sessionId();
            final String recorded = "aeron:udp?endpoint=localhost:" + (port + 2) + "|control=" + control +
                "|session-id=" + session;
            archive.startRecording(recorded, STREAM, SourceLocation.REMOTE);
            while (!publication.isConnected())
            {
                idle("the archive hears the publication");
            }
            final CountersReader counters = aeron.countersReader();
            int counter;
            while (CountersReader.NULL_COUNTER_ID == (counter = RecordingPos.findCounterIdBySession(counters, session)))
            {
                idle("a recording");
            }
            final long recording = RecordingPos.getRecordingId(counters, counter);
            final UnsafeBuffer message = new UnsafeBuffer(new byte[200]);
            int sent = 0;
            for (; sent < total / 2; sent++)
            {
                message.putInt(0, sent);
                while (publication.offer(message) < 0)
                {
                    idle("the first half");
                }
            }
            while (counters.getCounterValue(counter) < publication.position())
            {
                idle("the first half is recorded");
            }

            final String replayChannel = "aeron:udp?session-id=" + session;
            final int[] received = {0};
            final FragmentHandler handler = (buffer, offset, length, header) ->
            {
                if (buffer.getInt(offset) != received[0])
                {
                    System.out.println("out of order: " + buffer.getInt(offset) + " for " + received[0]);
                    System.exit(1);
                }
                received[0]++;
            };
            final String live = "aeron:udp?endpoint=localhost:0|control=" + control;
            try (Subscription subscription = aeron.addSubscription(
                    "aeron:udp?control-mode=manual|session-id=" + session, STREAM);
                ReplayMerge merge = new ReplayMerge(
                    subscription, archive, replayChannel, "aeron:udp?endpoint=localhost:0", live, recording, 0))
            {
                while (received[0] < total || !merge.isMerged())
                {
                    if (sent < total)
                    {
                        message.putInt(0, sent);
                        sent += publication.offer(message) > 0 ? 1 : 0;
                    }
                    if (0 == merge.poll(handler, 10))
                    {
                        if (merge.hasFailed())
                        {
                            System.out.println("failed: " + merge);
                            System.exit(1);
                        }
                        idle("the merge: received " + received[0] + " sent " + sent + " " + merge);
                    }
                }
                final Image image = merge.image();
                System.out.println("merged " + received[0] + " live " + merge.isLiveAdded() +
                    " transports " + image.activeTransportCount());
            }
        }
        System.exit(0);
    }
}
