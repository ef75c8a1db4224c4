// What the client believes, kept from the snapshot and from what is told after it.
const FINISHED = ["Canceled", "Completed", "Expired", "Filled", "Rejected"];

export class State {
  entities = new Map(); // "order" -> id -> the entity as last told

  // The snapshot is all that is true, and then what was told before it came.
  replace(snapshot, early) {
    this.entities.clear();
    for (const [collection, items] of Object.entries(snapshot)) if (Array.isArray(items)) this.apply({ entityType: singular(collection), entity: items });
    early.forEach((change) => this.apply(change));
  }

  // Created and updated replace by id, deleted removes by id; a finished order does not come back to life.
  apply(change) {
    const told = [change?.entity].flat().filter((entity) => entity?.id !== undefined);
    if (told.length && !this.entities.has(change.entityType)) this.entities.set(change.entityType, new Map());
    const held = this.entities.get(change?.entityType);
    for (const entity of told) {
      if (change.eventType === "Deleted") held.delete(entity.id);
      else if (!FINISHED.includes(held.get(entity.id)?.ordStatus) || FINISHED.includes(entity.ordStatus)) held.set(entity.id, entity);
    }
    return told;
  }
}

function singular(name) {
  return name.replace(/ies$/, "y").replace(/ses$/, "s").replace(/([^s])s$/, "$1");
}
