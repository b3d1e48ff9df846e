/** What counts: a partition of the topic with this id, so that a topic made again counts anew (L10). */
export interface PartitionId {
  topic: string;
  topicId: string;
  partition: number;
}

export const toCounts = ({ topicId, partition }: PartitionId): string => `kafka/${topicId}/${partition}`;
